"""A document becomes searchable; knows nothing of questions."""
