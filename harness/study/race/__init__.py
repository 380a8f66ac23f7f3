"""The race: what "no tuning" is worth, beside the tuners that people use, at equal compute."""
