"""The usage app."""

from django.apps import AppConfig


class UsageConfig(AppConfig):
    """Registers the app's label."""

    name = "usage"
