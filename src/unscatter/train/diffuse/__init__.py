"""Training and scores of wing A."""
