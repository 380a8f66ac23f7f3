"""The one kind of error that the user can correct."""


class UserError(Exception):
    """A mistake in a grid, the data, a device or a folder: one line that says where, what, and what would
    be right. The commands print it and end with exit code 2, before anything trains."""


class NotWritten(Exception):
    """A file or folder that could not be written: which, and why, in one line. The commands print it and end
    with exit code 1."""
