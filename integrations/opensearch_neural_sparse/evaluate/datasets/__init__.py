"""Read judged collections."""
