"""Weights to go on from, and a bank of short-range order: read through unscatter.data.training_file."""
