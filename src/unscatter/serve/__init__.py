"""A local page and a JSON API onto the same jobs as the command line."""
