"""What every room stands on: user errors, folders and files, the machine, frozen configuration, tables as text."""

VERSION = "0.1.0"
"""Of this project; its package takes it from here, and so do the records, whatever else is installed."""
