"""What every room stands on: the user's error, places and files, frozen configuration, words."""
