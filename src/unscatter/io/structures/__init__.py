"""Molecules and crystal structures, from files and from the Materials Project."""
