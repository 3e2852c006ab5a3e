"""The bot app: everything between a provider's webhook and the model."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core import checks
from django.db import DEFAULT_DB_ALIAS
from django.db.models.signals import post_migrate


class BotConfig(AppConfig):
    """Registers the app's label, its system checks, and the schedules once there are tables for them."""

    name = "bot"

    def ready(self) -> None:
        """Connect what happens after `migrate` and for `check`."""
        post_migrate.connect(make_schedules, sender=self)
        checks.register(settings_checks, checks.Tags.security)
        # For `check --deploy` only: `migrate` runs the others before it migrates, and would stop at an error of a bot.
        checks.register(database_checks, checks.Tags.database, deploy=True)


def make_schedules(**kwargs: Any) -> None:
    """Create the schedules that are missing. The module is loaded when it is needed, as that of the checks below."""
    from bot.operations.schedules import ensure_schedules_after_migrate

    ensure_schedules_after_migrate(**kwargs)


def settings_checks(**kwargs: Any) -> list[checks.CheckMessage]:
    """Check the settings. The module is not loaded in processes that serve webhooks or run turns."""
    from bot.operations.checks import check_settings

    return check_settings()


def database_checks(databases: Sequence[str] | None = None, **kwargs: Any) -> list[checks.CheckMessage]:
    """Check what the database holds, if it was named: `check --deploy --database default`."""
    if DEFAULT_DB_ALIAS not in (databases or ()):
        return []
    from bot.operations.checks import check_database

    return check_database()
