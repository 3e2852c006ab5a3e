"""The stages of a turn, one file each."""
