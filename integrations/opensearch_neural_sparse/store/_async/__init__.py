"""The store over an asynchronous client."""
