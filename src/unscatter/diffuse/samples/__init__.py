"""Simulated planes as measured ones would be: what networks learn from."""
