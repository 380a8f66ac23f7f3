"""docs/reproduction.md: its tables and figures, made from the reference records alone."""
