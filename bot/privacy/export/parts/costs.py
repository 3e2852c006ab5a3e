"""Exported costs of a person."""

from django.utils.translation import gettext_lazy as _

from bot.privacy.export.fields import Part, Told, amount, choice, time
from bot.privacy.export.parts.people import IS_THEM, ROW_NUMBER, of_person
from usage.models import DailySpend, Reservation, UsageKind, UsageRecord

ONE_CALL = "tells one of our calls from another"

COSTS = (
    Part(
        "usage",
        _("What was paid for you"),
        UsageRecord,
        of_person(UsageRecord, "user"),
        (
            time("created_at", _("at")),
            Told("bot", _("bot")),
            choice("kind", _("kind"), UsageKind.choices),
            Told("model", _("model asked")),
            Told("model_answered", _("model that answered")),
            Told("input_tokens", _("input tokens")),
            Told("cached_input_tokens", _("cached input tokens")),
            Told("cache_write_tokens", _("cache write tokens")),
            Told("output_tokens", _("output tokens")),
            amount("cost_micros", _("cost"), "cost_usd"),
            amount("budget_micros", _("counted in budgets"), "counted_in_budgets_usd"),
            Told("budget_day", _("budget's day")),
        ),
        {
            "id": ROW_NUMBER,
            "user": IS_THEM,
            "price": "the model's price, which is everybody's",
            "turn_key": ONE_CALL,
            "call_id": ONE_CALL,
        },
    ),
    Part(
        "daily_spends",
        _("What your days have cost"),
        DailySpend,
        of_person(DailySpend, "user"),
        (
            Told("day", _("day")),
            Told("bot", _("bot")),
            amount("spent_micros", _("spent"), "spent_usd"),
            amount("reserved_micros", _("reserved"), "reserved_usd"),
        ),
        {"id": ROW_NUMBER, "user": IS_THEM},
    ),
    Part(
        "reservations",
        _("Reserved for answers under way"),
        Reservation,
        of_person(Reservation, "user"),
        (
            time("created_at", _("at")),
            Told("day", _("day")),
            Told("bot", _("bot")),
            amount("amount_micros", _("amount"), "amount_usd"),
        ),
        {"id": ROW_NUMBER, "user": IS_THEM, "turn_key": ONE_CALL, "fence": ONE_CALL},
    ),
)
