"""The conversations app."""

from django.apps import AppConfig


class ConversationsConfig(AppConfig):
    """Registers the app's label."""

    name = "conversations"
