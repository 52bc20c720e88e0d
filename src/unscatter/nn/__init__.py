"""Networks only: tensor in, tensor out; they know nothing of diffraction."""
