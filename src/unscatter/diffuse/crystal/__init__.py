"""Molecules, how they move, and how they are ordered."""
