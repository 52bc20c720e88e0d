"""Random crystals, and the reflections of any crystal."""
