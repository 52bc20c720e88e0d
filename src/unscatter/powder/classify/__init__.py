"""Ask a network what symmetry a pattern has."""
