"""Work that is counted in instructions and SQL statements instead of timed: benchmarks.steady_check runs it."""
