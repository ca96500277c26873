"""The main job from end to end: index, stamp, search; `make demo` runs it."""
