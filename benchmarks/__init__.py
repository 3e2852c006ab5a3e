"""Measure Parley with real processes on loopback: `python -m benchmarks` (docs/benchmarks.md says what and how)."""
