"""Operations: scheduled tasks, alerts, system checks, bootstrap, connection tests."""
