"""Options of searches, as frozen values."""
