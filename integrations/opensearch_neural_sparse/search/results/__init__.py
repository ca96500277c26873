"""Search hits, their scores and explanations."""
