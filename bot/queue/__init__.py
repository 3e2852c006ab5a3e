"""The inbox as a queue: accepted deliveries, the snapshot of bots, notices, address changes, recovery."""
