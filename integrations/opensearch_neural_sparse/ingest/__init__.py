"""Documents from files: JSON lines, CSV, Parquet, texts."""
