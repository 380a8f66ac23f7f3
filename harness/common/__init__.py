"""What every room stands on: user errors, files and folders, the machine, frozen configuration, text."""

VERSION = "0.1.0"
"""Of this project; its package takes it from here, and so do the records, whatever else is installed."""
