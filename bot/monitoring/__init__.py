"""What operators watch: metrics, health probes, heartbeats."""
