"""Planes and volumes of diffuse scattering: one module a format."""
