"""Query clauses."""
