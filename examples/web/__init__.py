"""A web page that searches the demo's index in three ways at once; `python -m examples.web` serves it."""
