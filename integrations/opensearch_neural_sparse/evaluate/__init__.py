"""Collections with judged queries, and how well an index answers them."""
