"""Create certificates and logins of a secured server."""
