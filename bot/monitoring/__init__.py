"""Monitoring: metrics, health probes, heartbeats."""
