"""Figures from frames: style, a file for each kind of figure, render to write them. No torch, no ray."""
