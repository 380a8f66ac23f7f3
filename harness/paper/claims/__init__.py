"""The paper's sentences as predicates over records: each holds, fails, or cannot be told."""
