"""Commands, one group a module."""
