"""The equations of diffuse scattering on a plane, and its projection into one reciprocal cell."""
