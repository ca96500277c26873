"""Commands, one group per module."""
