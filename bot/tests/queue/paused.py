"""Whether a bot is paused, and why."""

from bot.models import Bot, Lease


def is_paused() -> bool:
    return Bot.objects.get().paused_at is not None


def the_lease_is_free() -> None:
    Lease.objects.update(expires_at="2020-01-01T00:00Z")
