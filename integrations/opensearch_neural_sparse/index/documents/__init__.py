"""Documents and their vectors as an index stores them."""
