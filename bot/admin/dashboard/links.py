"""Addresses of the lists behind the figures: filters that the lists' pages read from their query strings."""

from datetime import date, timedelta
from typing import Any

from django.db import models
from django.urls import reverse
from django.utils.http import urlencode

from bot.models import AccessRequest, Bot, DailyFigures, InboundMessage, OutboundMessage
from bot.operations.figures.history import is_held
from usage.days import day_start
from usage.models import UsageRecord
from users.models import User

ANSWERED = {"state__exact": InboundMessage.State.DONE, "error_code__exact": ""}


def list_of(model: "type[models.Model]", **filters: Any) -> str:
    """Return the address of a model's list, with lookups of its own fields as filters."""
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{address}?{urlencode(filters)}" if filters else address


def page_of(row: models.Model) -> str:
    """Return the address of a row's own page."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def received(figures: DailyFigures, bot: Bot | None, **filters: Any) -> str:
    """Return where the messages are listed that came in on a day; "" if some of them are gone.

    By their ids as well: the inbox has no index on times.
    """
    ids = figures.first_inbound, figures.last_inbound
    return _on_day(InboundMessage, "received_at", figures, ids, bot, **filters)


def sent(figures: DailyFigures, bot: Bot | None, **filters: Any) -> str:
    """Return where the messages of a day are listed that went out; "" if some of them are gone."""
    ids = figures.first_outbound, figures.last_outbound
    filters = filters or {"status__in": ",".join(OutboundMessage.GONE_OUT)}
    return _on_day(OutboundMessage, "created_at", figures, ids, bot, **filters)


def answered(figures: DailyFigures, bot: Bot | None) -> str:
    """Return where the messages of a day are listed that were answered; "" if some of them are gone."""
    return received(figures, bot, **ANSWERED)


def all_answered(bot: Bot | None) -> str:
    """Return where the messages are listed that were answered."""
    return list_of(InboundMessage, **ANSWERED, **_only(bot))


def failed(code: str, bot: Bot | None) -> str:
    """Return where the messages are listed that failed for a reason."""
    return list_of(InboundMessage, error_code__exact=code, **_only(bot))


def usage(first: date, last: date, bot: Bot | None = None, **filters: Any) -> str:
    """Return where the calls of some days are listed."""
    return calls(bot, **_period("created_at", first, last), **filters)


def calls(bot: Bot | None, **filters: Any) -> str:
    """Return where calls are listed, of one bot or of all."""
    return list_of(UsageRecord, **filters, **({"bot__exact": bot.slug} if bot else {}))


def person(pk: int) -> str:
    """Return the page of a person."""
    return page_of(User(pk=pk))


def waiting(bot: Bot | None = None) -> str:
    """Return where the messages are listed that wait for an answer."""
    return list_of(InboundMessage, state__exact=InboundMessage.State.PENDING, **_only(bot))


def dead() -> str:
    """Return where the dead letters are listed."""
    return list_of(InboundMessage, state__exact=InboundMessage.State.DEAD)


def uncertain() -> str:
    """Return where the sends are listed of which nobody knows whether they arrived."""
    return list_of(OutboundMessage, status__exact=OutboundMessage.Status.UNCERTAIN)


def access_requests() -> str:
    """Return where those are listed who ask for access."""
    return list_of(AccessRequest)


def _on_day(
    model: "type[models.Model]",
    column: str,
    figures: DailyFigures,
    ids: tuple[int | None, int | None],
    bot: Bot | None,
    **filters: Any,
) -> str:
    if not is_held(figures):
        return ""
    # (Of today too: what the figures say is what the list has, though it goes on.)
    found = {} if ids[0] is None else {"id__gte": ids[0], "id__lte": ids[1]}
    return list_of(model, **_period(column, figures.day, figures.day), **found, **_only(bot), **filters)


def _period(column: str, first: date, last: date) -> dict[str, str]:
    start, end = day_start(first), day_start(last + timedelta(days=1))
    return {f"{column}__gte": start.isoformat(), f"{column}__lt": end.isoformat()}


def _only(bot: Bot | None) -> dict[str, Any]:
    return {"bot__id__exact": bot.pk} if bot else {}
