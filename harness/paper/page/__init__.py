"""docs/reproduction.md: its tables and figures, made of the reference records and nothing else."""
