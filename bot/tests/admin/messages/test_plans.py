"""Among many messages the lists of the admin find the few that are asked for by an index, and read no whole table."""

from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.test import RequestFactory
from django.utils import timezone

from bot.models import Bot, InboundMessage, OutboundMessage
from bot.tests.support.factories import BotFactory, whitelisted
from users.roles import Role
from users.tests.factories import UserFactory

pytestmark = [
    pytest.mark.django_db,
    # (What is many rows here is few rows elsewhere, where it is measured.)
    pytest.mark.no_cover,
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite chooses without statistics"),
    pytest.mark.database,
]

ROWS, CHATS = 40_000, 4_000
ADDRESS = f"'+1202' || lpad((5550000 + mod(i, {CHATS}))::text, 7, '0')"
# Of one chat: that of number 7.
SOMEBODY = "+12025550007"


@pytest.fixture
def many() -> Bot:
    """Store many answered messages of one bot, of which a few are otherwise, and return a bot with none."""
    busy, quiet = BotFactory.create(), BotFactory.create()
    inbound = f"""
        INSERT INTO bot_inboundmessage (id, bot_id, external_id, address, kind, payload, state, turn_key, attempts,
            error_code, received_at, available_at)
        SELECT 1000000 + i, {busy.pk}, 'in-' || i, {ADDRESS},
            CASE WHEN mod(i, 9000) = 0 THEN 'image' ELSE 'text' END, '{{}}',
            CASE WHEN mod(i, 9001) = 0 THEN 'dead' ELSE 'done' END, 1000000 + i, 1, '', now(), now()
        FROM generate_series(1, {ROWS}) AS i
    """  # noqa: S608 (constants)
    outbound = f"""
        INSERT INTO bot_outboundmessage (bot_id, address, turn_key, part, text, status, external_id, attempts,
            error_code, doubt, created_at, updated_at)
        SELECT {busy.pk}, {ADDRESS}, 1000000 + i, 1, '',
            CASE WHEN mod(i, 9001) = 0 THEN 'uncertain' WHEN mod(i, 9002) = 0 THEN 'failed' ELSE 'read' END,
            'out-' || i, 1,
            CASE WHEN mod(i, 9002) = 0 THEN 'X' ELSE '' END, CASE WHEN mod(i, 9001) = 0 THEN 'timeout' ELSE '' END,
            now(), now()
        FROM generate_series(1, {ROWS}) AS i
    """  # noqa: S608 (constants)
    with connection.cursor() as cursor:
        for statement in (inbound, outbound):
            cursor.execute(statement, [])
        InboundMessage.objects.create(bot=busy, external_id="new", address="+49", available_at=timezone.now())
        for table in ("bot_inboundmessage", "bot_outboundmessage", "bot_bot"):
            cursor.execute(f"ANALYZE {table}")
    return quiet


def plans_of(model: Any, **query: str) -> list[str]:
    """Return the plans of the page and of its count that a list is asked for with this query."""
    request = RequestFactory().get("/", query)
    request.user = UserFactory.create(role=Role.OWNER)
    table = f'"{model._meta.db_table}"'
    sent: list[tuple[str, Any]] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if table in sql:
            sent.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        shown = admin.site._registry[model].get_changelist_instance(request)
    assert shown.result_count < 50
    plans = []
    with connection.cursor() as cursor:
        for sql, params in sent:
            cursor.execute(f"EXPLAIN {sql}", params)
            plans.append("\n".join(str(row[0]) for row in cursor.fetchall()))
    return plans


# What is asked of each list; "quiet" and "somebody" stand for the ids of that bot and person.
ASKED: dict[Any, list[dict[str, str]]] = {
    InboundMessage: [
        {"attention": "needed"},
        *({"state__exact": state} for state in ("dead", "quarantined", "pending")),
        *({"kind": kind} for kind in ("image", "sticker")),
        {"bot__id__exact": "quiet"},
        {"state__exact": "dead", "bot__id__exact": "quiet"},
        {"person": "somebody"},
        *({"q": term} for term in (SOMEBODY, "in-77")),
    ],
    OutboundMessage: [
        {"attention": "needed"},
        *({"status__exact": status} for status in ("uncertain", "failed", "expired", "queued", "sending")),
        {"bot__id__exact": "quiet"},
        {"person": "somebody"},
        *({"q": term} for term in (SOMEBODY, "out-77", "1000077")),
    ],
}


@pytest.mark.parametrize("model", ASKED)
def test_the_few_are_found_by_an_index(many: Bot, model: Any) -> None:
    meant = {"quiet": str(many.pk), "somebody": str(whitelisted(SOMEBODY).pk)}
    table = model._meta.db_table
    for query in ASKED[model]:
        plans = plans_of(model, **{name: meant.get(value, value) for name, value in query.items()})
        assert len(plans) >= 2, query
        for plan in plans:
            assert f"Seq Scan on {table}" not in plan, (query, plan)
            assert f"Index Scan Backward using {table}_pkey" not in plan, (query, plan)
