"""Options of `evaluate`, and its tuning."""
