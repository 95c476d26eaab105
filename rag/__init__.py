"""A question becomes a cited answer; knows nothing of screens."""
