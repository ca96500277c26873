"""The store over a blocking client."""
