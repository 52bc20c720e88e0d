"""From lines to a pattern: profile and background."""
