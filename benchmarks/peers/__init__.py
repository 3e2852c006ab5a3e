"""What Parley's web process is compared with: the least that could receive the same webhook."""
