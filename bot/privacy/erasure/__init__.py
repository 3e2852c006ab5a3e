"""Erase a person: find what is theirs, and delete it in one order."""
