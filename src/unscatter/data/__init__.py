"""Tables, weights and recipes as files."""
