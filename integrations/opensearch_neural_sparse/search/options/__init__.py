"""Search options, as frozen values."""
