"""Models in the server: registered, deployed, checked and removed."""
