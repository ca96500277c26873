"""Settings of a search, the space of them, the index that one needs, and halves of queries."""
