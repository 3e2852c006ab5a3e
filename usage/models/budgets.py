"""Budgets: what days have cost, and what turns have reserved, changed by sums and locked in one order.

Lock order: reservations before spends; spends by person, then by bot, everybody's row last.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import BigIntegerField, F, Func
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from config.db.rows import insert_rows
from usage.spending import ALL_BOTS, Changes, Owner
from usage.standing import Standing

# A person's id, 0 for a bot's row and for everybody's, as the unique index has it. The 0 is written out: SQLite
# compares an index's expression with a query's as it stands, and a parameter is not a 0.
OWNER = Func(F("user"), template="COALESCE(%(expressions)s, 0)", output_field=BigIntegerField())


class DailySpendQuerySet(models.QuerySet["DailySpend"]):
    """What days have cost."""

    def of_owner(self, user_id: int | None) -> Self:
        """Keep the rows of a person, or of nobody: those of bots and of everybody. The unique index begins with it."""
        return self.alias(owner=OWNER).filter(owner=user_id or 0)

    def of(self, owner: Owner, day: date) -> Self:
        """Keep the row of a person, a bot or everybody for a day: what the unique index finds at once."""
        return self.of_owner(owner.user_id).filter(bot=owner.bot, day=day)

    def of_person(self, user_id: int) -> Self:
        """Keep a person's rows, with all bots."""
        return self.of_owner(user_id).filter(bot=ALL_BOTS)

    def of_everybody(self, bots: Iterable[str], day: date) -> Self:
        """Keep what a day has cost everybody, with each of some bots; ALL_BOTS is one of their names."""
        return self.of_owner(None).filter(bot__in=bots, day=day)

    def standings(self, day: date, bots: Mapping[str, int | None] | None = None) -> dict[str, Standing]:
        """Return how everybody's budget of a day stands, under ALL_BOTS, and those of bots that have one. One query.

        bots: the budgets of bots in micro-dollars, by slug.
        """
        caps = {ALL_BOTS: settings.DAILY_BUDGET_MICROS}
        caps |= {slug: cap for slug, cap in (bots or {}).items() if cap is not None}
        rows = self.of_everybody(caps, day).values_list("bot", "spent_micros", "reserved_micros")
        found = {bot: sums for bot, *sums in rows}
        return {bot: Standing(cap, *found.get(bot, ())) for bot, cap in caps.items()}

    def standings_of_people(self, day: date, caps: Mapping[int, int | None]) -> dict[int, Standing]:
        """Return how the budgets of people stand, by id. One query."""
        rows = self.filter(day=day, user__in=list(caps), bot=ALL_BOTS)
        found = {person: sums for person, *sums in rows.values_list("user", "spent_micros", "reserved_micros")}
        return {person: Standing(cap, *found.get(person, ())) for person, cap in caps.items()}

    def apply(self, changes: Changes) -> dict[tuple[Owner, date], Standing]:
        """Add the changes, in a transaction; return to what each row has come.

        One statement. It makes the rows that are missing and locks each one, also where nothing is added to it.
        """
        returned = insert_rows(
            self.model,
            changes.rows(),
            on_conflict=(
                "(COALESCE(user_id, 0), bot, day) DO UPDATE SET "
                "spent_micros = usage_dailyspend.spent_micros + excluded.spent_micros, "
                "reserved_micros = usage_dailyspend.reserved_micros + excluded.reserved_micros"
            ),
            returning=("user_id", "bot", "CAST(day AS text)", "spent_micros", "reserved_micros"),
        )
        return {
            (Owner(user_id, bot), date.fromisoformat(day)): Standing(None, spent, reserved)
            for user_id, bot, day, spent, reserved in returned
        }

    def correct(self, changes: Changes) -> None:
        """Add what was spent to the rows that are there, in lock order; what was purged does not come back."""
        for (owner, day), (spent, _reserved) in changes.ordered():
            if spent:
                self.of(owner, day).update(spent_micros=F("spent_micros") + spent)


class DailySpend(models.Model):
    """What was spent on one day (in settings.TIME_ZONE), and what turns have reserved.

    By a person with all bots, by everybody with one bot, or by everybody with all bots: neither person nor bot.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="daily_spends",
        db_index=False,
        verbose_name=_("person"),
        help_text=_("Empty: everybody together."),
    )
    bot = models.CharField(_("bot"), max_length=50, blank=True, default="", help_text=_("Empty: all bots together."))
    day = models.DateField(_("day"))
    spent_micros = models.BigIntegerField(_("spent"), default=0)
    reserved_micros = models.BigIntegerField(_("reserved"), default=0)

    objects = DailySpendQuerySet.as_manager()

    class Meta:
        verbose_name = _("daily spend")
        verbose_name_plural = _("daily spends")
        # An expression, because null equals nothing: everybody's row could be there twice. No person has the id 0.
        constraints = [models.UniqueConstraint(Coalesce("user", 0), "bot", "day", name="usage_spend_one_per_day")]
        # For lists by day. The sums are in neither, so that they change in place; a row's day never changes.
        indexes = [
            models.Index(fields=["day", "user"], name="usage_spend_of_day"),
            models.Index(fields=["-day", "-id"], name="usage_spend_of_people", condition=models.Q(user__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"spend {self.pk} of {self.day}"


class ReservationQuerySet(models.QuerySet["Reservation"]):
    """What turns have reserved."""

    def locked(self, most: int | None = None) -> list[Reservation]:
        """Lock the reservations (the first so many of them) and return them."""
        return list(self.select_for_update(of=("self",)).order_by("turn_key")[:most])

    def release(self, reservations: Sequence[Reservation], changes: Changes) -> None:
        """Delete locked reservations and note that their amounts are free again."""
        for held in reservations:
            changes.add(held.user_id, held.bot, held.day, reserved=-held.amount_micros)
        if reservations:
            self.filter(pk__in=[reservation.pk for reservation in reservations]).delete()

    def put_in(self, rows: Iterable[dict[str, Any]]) -> None:
        """Store new reservations, in one statement. Before the spends: a key that another is deleting is waited for."""
        insert_rows(self.model, sorted(rows, key=lambda row: int(row["turn_key"])))


class Reservation(models.Model):
    """What a turn may cost that is being answered: a part of reserved_micros, there until the turn is settled.

    fence is that of the turn's lease: who took the turn over has the greater one, and the reservation is theirs.
    """

    turn_key = models.BigIntegerField(_("turn"), unique=True)
    fence = models.BigIntegerField(_("fence"))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="reservations",
        db_index=False,
        verbose_name=_("person"),
    )
    bot = models.CharField(_("bot"), max_length=50, blank=True, default="")
    day = models.DateField(_("day"))
    amount_micros = models.BigIntegerField(_("amount"))
    created_at = models.DateTimeField(_("created"), default=timezone.now)

    objects = ReservationQuerySet.as_manager()

    class Meta:
        verbose_name = _("reservation")
        verbose_name_plural = _("reservations")

    def __str__(self) -> str:
        return f"reservation of turn {self.turn_key}"
