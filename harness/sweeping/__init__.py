"""What is left to run of a grid, who runs it, and how the records reach the store."""
