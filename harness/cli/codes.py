"""The exit codes of the commands."""

FAILED, USER_ERROR, INTERRUPTED = 1, 2, 130
