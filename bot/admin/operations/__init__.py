"""What runs and what it costs, in the admin: schedules, tasks, days' spending."""
