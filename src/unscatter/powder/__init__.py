"""Wing B: a measured powder pattern -> ranked lattices and space groups."""
