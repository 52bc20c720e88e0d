"""Wing A: a measured plane of diffuse scattering -> form factor x short-range order."""
