"""The workshop: loops, scores, export; never imported by inference."""
