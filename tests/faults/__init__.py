"""Faults on purpose: what a sweep and a grid must survive."""
