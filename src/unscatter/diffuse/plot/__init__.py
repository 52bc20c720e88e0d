"""Pictures of planes, order and molecules."""
