"""Rows that wait: accept deliveries, know the bots, notices, address changes, recovery."""
