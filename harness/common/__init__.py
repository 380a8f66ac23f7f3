"""What every room stands on: user errors, folders and files, frozen configuration, tables as text."""
