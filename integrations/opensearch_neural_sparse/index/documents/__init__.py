"""Documents and their vectors as stored in an index."""
