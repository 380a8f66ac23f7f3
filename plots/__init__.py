"""Figures from frames: style, a file for each kind of figure, and render to write them. No torch, no Ray."""
