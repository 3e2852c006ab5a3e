"""The bot app: everything between a provider's webhook and the model."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class BotConfig(AppConfig):
    """Registers the app's label, and the schedules once there are tables for them."""

    name = "bot"

    def ready(self) -> None:
        """Connect what happens after `migrate`."""
        from bot.schedules import ensure_schedules_after_migrate

        post_migrate.connect(ensure_schedules_after_migrate, sender=self)
