"""Operations of a store, without I/O."""
