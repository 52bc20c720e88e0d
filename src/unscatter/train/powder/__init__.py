"""Training and scores of wing B."""
