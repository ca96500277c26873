"""Model catalogue and model files."""
