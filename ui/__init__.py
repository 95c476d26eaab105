"""People and programs ask here; no retrieval logic."""
