"""Canaries: values that must never leave a process, ways to push them through it, and a search that knows spellings."""
