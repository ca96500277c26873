"""Filter clauses and their checks."""
