"""Refine order parameters and molecules."""
