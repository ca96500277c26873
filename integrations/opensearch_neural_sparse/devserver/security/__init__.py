"""Certificates and logins."""
