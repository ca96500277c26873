"""Index layout, model binding, documents and bulk actions; pure functions and values."""
