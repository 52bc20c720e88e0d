"""The nouns: what flows between the steps of both wings, frozen dataclasses that check themselves; one noun a file."""
