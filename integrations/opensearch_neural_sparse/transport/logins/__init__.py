"""Ways to log in: as options of clients, by signatures, and described without secrets."""
