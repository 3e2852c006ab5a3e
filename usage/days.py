"""Days of usage, in settings.TIME_ZONE, and the columns that their sums have."""

from datetime import UTC, date, datetime, time

from django.utils import timezone

# Name the sums of a day, in the order in which rows are locked.
KEYS = ("day", "bot", "kind", "model")
SUMS = ("calls", "input_tokens", "cached_input_tokens", "output_tokens", "cost_micros", "unpriced")


def today() -> date:
    """Return today's date in settings.TIME_ZONE."""
    return timezone.localdate(timezone=timezone.get_default_timezone())


def day_start(day: date) -> datetime:
    """Return when day begins in settings.TIME_ZONE; where the clocks skip midnight, the moment they skip it."""
    # In UTC: Python compares a skipped or repeated midnight with another zone's times as never equal.
    return datetime.combine(day, time.min, tzinfo=timezone.get_default_timezone()).astimezone(UTC)
