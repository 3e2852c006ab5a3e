"""Write what a list of people changes: all of it, or nothing."""

import logging
import secrets
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db import IntegrityError, OperationalError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from config.db.batches import Progress
from config.db.rows import insert_rows
from users.budgets import BudgetChange, audit_budgets
from users.models import User
from users.number_lock import lock_numbers
from users.roles import Role, role_flags
from users.whitelist.people import TERMINAL, By, note_whitelisted, set_whitelisted
from users.whitelist.planning import BATCH, Change, Kind, Plan, leavers, make_plan, ordinary
from users.whitelist.reading import Reading
from users.whitelist.rows import Notes, Row, canonical

logger = logging.getLogger(__name__)

# The rows hold all that they would be inserted with, but each is there already, and locked. An UPDATE for each person,
# or bulk_update()'s CASE with a branch for each, takes many times as long.
CHANGED = "(phone_number) DO UPDATE SET " + ", ".join(
    f"{column} = excluded.{column}" for column in ("name", "is_whitelisted", "daily_budget_micros", "updated_at")
)


class ImportRefused(ValueError):
    """Lines are wrong, so nothing was changed. `errors` says which and why."""

    def __init__(self, errors: Notes) -> None:
        super().__init__(_("Lines are wrong; nothing was changed."))
        self.errors = errors


class ImportFailed(Exception):
    """The database did not take it, twice: others changed the same people, or it is in trouble. Try again."""


def apply_people(
    reading: Reading, *, replace: bool = False, by: By = TERMINAL, progress: Progress | None = None
) -> Plan:
    """Do what a file asks for in one transaction, and return what that was.

    The plan is made again inside of it, from people who stay locked until the end.

    Raises:
        ImportRefused: lines are wrong, or would change who must not be changed.
        ImportFailed: the database did not take it.
    """
    if reading.errors.count:
        raise ImportRefused(reading.errors)
    # In one order for everybody: two imports wait for each other and can't deadlock.
    rows = sorted(reading.rows, key=lambda row: canonical(row.number))
    try:
        plan = _apply(rows, replace, by, progress)
    except (IntegrityError, OperationalError):
        # Another process created the same people meanwhile, or was in the way: now they are there.
        plan = _apply_again(rows, replace, by, progress)
    counts = {f"people_{kind}": count for kind, count in plan.counts.items()}
    logger.info("people_imported", extra={"staff": by.staff_id, "replace": replace, **counts})
    return plan


def _apply_again(rows: Sequence[Row], replace: bool, by: By, progress: Progress | None) -> Plan:
    try:
        return _apply(rows, replace, by, progress)
    except (IntegrityError, OperationalError) as error:
        logger.warning("people_import_failed", extra={"error": type(error).__name__})
        reason = _(
            "The database did not take it: others may be changing the same people. Nothing was changed; try again."
        )
        raise ImportFailed(reason) from error


@transaction.atomic
def _apply(rows: Sequence[Row], replace: bool, by: By, progress: Progress | None) -> Plan:
    now = timezone.now()
    lock_numbers(alone=False)
    # Before anybody new is there, and what is chosen is removed only if it is still so.
    leaving = [pk for pk, _number, _name in leavers(rows)] if replace else []
    # Without their keys: turns under way go on referring to them.
    locked = User.objects.select_for_update(no_key=True)
    plan = make_plan(
        rows, replace=replace, people=locked, write=lambda changes: _write(changes, now, by), progress=progress
    )
    if plan.errors.count:
        raise ImportRefused(plan.errors)
    for start in range(0, len(leaving), BATCH):
        set_whitelisted(ordinary(User.objects.all()).filter(pk__in=leaving[start : start + BATCH]), False, by)
    return plan


def _write(changes: Sequence[Change], now: datetime, by: By) -> None:
    changing = [change for change in changes if change.kinds != (Kind.UNCHANGED,)]
    new = [_as_row(change, now) for change in changing if change.person is None]
    created = dict(insert_rows(User, new, returning=("phone_number", "id")))
    insert_rows(User, [_as_row(change, now) for change in changing if change.person], on_conflict=CHANGED)
    allowed = [one.person.pk for one in changing if one.person and Kind.ALLOWED in one.kinds]
    note_whitelisted(allowed + [created[row["phone_number"]] for row in new if row["is_whitelisted"]], True, by)
    note_whitelisted([one.person.pk for one in changing if one.person and Kind.REMOVED in one.kinds], False, by)
    audit_budgets(_budget_changes(changing, created), actor=by.staff_id, via=by.via)


def _budget_changes(changes: Sequence[Change], created: Mapping[str, int]) -> Iterator[BudgetChange]:
    """Yield whose budget was set. created: the new people's ids by number."""
    for change in changes:
        row, person = change.row, change.person
        if row.budget_micros is None:
            continue
        if person is None:
            yield BudgetChange(created[row.number], None, row.budget_micros)
        else:
            yield BudgetChange(person.pk, person.budget_micros, row.budget_micros)


def _as_row(change: Change, now: datetime) -> dict[str, Any]:
    row, person = change.row, change.person
    flags = role_flags(Role.USER)
    return {
        "phone_number": person.number if person else row.number,
        "name": row.name if Kind.RENAMED in change.kinds or person is None else person.name,
        "role": Role.USER.value,
        "is_staff": flags.is_staff,
        "is_superuser": flags.is_superuser,
        "is_whitelisted": row.whitelisted,
        "daily_budget_micros": (
            row.budget_micros if person is None or row.budget_micros is not None else person.budget_micros
        ),
        # As make_password(None) makes it, which takes forty times as long.
        "password": UNUSABLE_PASSWORD_PREFIX + secrets.token_urlsafe(30),
        "created_at": now,
        "updated_at": now,
    }
