"""Tests of the front, called in the test's own process, and what calls it."""
