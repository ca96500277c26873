"""Models of one weight for each token: BGE-M3, uniCOIL and DeepImpact."""
