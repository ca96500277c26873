"""The model that an index is bound to, in the `_meta` of its mapping."""
