"""A question set becomes figures; asks the way a user does."""
