"""What is asked of an index and what comes back: query bodies and hits; pure functions and values."""
