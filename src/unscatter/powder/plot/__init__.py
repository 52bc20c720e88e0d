"""Pictures of patterns and rankings."""
