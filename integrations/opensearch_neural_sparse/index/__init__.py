"""What is written to an index: layout, model binding, bulk actions; pure functions and values."""
