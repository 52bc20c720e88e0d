"""Take a measured plane apart into I_FF and I_SRO."""
