"""What keeps an installation running: the scheduler's tasks, alerts, system checks, bootstrap, connection tests."""
