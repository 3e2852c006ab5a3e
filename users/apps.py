"""The users app."""

from django.apps import AppConfig


class UsersConfig(AppConfig):
    """Registers the app's label."""

    name = "users"
