"""Query clauses over words of metadata."""
