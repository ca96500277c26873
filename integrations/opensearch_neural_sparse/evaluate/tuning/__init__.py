"""Choose a search setting on one half of the judged queries, and measure it on the other half."""
