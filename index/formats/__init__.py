"""One module for each format that documents come in: a file's bytes → a `Draft` of elements."""
