"""The lattice of a plane that nobody described, read off the picture."""
