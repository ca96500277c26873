"""Tests on one secured server: fences, roles, logins, secrets."""
