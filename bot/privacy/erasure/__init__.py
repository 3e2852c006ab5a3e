"""Erasure of a person: find their rows, and delete them in one lock order."""
