"""A folder watched: planes and patterns are worked on as they are written, each once, over restarts and kills."""
