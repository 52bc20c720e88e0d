"""Simulated powder patterns as measured ones would be: what networks learn from."""
