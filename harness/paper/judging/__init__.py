"""What any claim is judged with: three-valued logic, counts by seed, one verdict from all seeds."""
