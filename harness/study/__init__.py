"""What the records say of the methods beyond the paper: its page, docs/sensitivity.md."""
