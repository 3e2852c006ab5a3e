"""What is measured, one module a part; each has `measure(run, database) -> Part`."""
