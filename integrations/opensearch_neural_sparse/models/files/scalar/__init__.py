"""Files of models of one weight for each token."""
