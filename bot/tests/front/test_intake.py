"""What waits is written as one statement in one transaction; each delivery is answered for itself, after the commit."""

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from bot.front.application import Front
from bot.models import Bot, Counter, InboundMessage, OutboundMessage
from bot.monitoring import metrics
from bot.monitoring.metrics import pending
from bot.queue import accept
from bot.tests.front.calling import Caller, asking
from bot.tests.front.granian import FakeConnection
from bot.tests.support.echoes import echo
from bot.tests.support.factories import (
    ALICE,
    WhatsAppBotFactory,
    signature,
    whatsapp_body,
    whatsapp_message,
    whatsapp_value,
)

# (Not within a transaction: on PostgreSQL a row that is refused would spoil it.)
pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]

HOOK = "/webhooks/whatsapp/shop/"


@pytest.fixture(autouse=True)
def bot(transactional_db: None) -> Any:
    return WhatsAppBotFactory.create(slug="shop")


@pytest.fixture
def front(bot: Any, front: Caller) -> Caller:
    """A front that knows the bot."""
    assert front.ask("POST", HOOK, b"{}", {"X-Hub-Signature-256": signature(b"{}")}).status == 400
    return front


def delivery(*names: str, statuses: Sequence[dict[str, Any]] = ()) -> bytes:
    messages = [whatsapp_message(id=f"wamid.{name}") for name in names]
    value = whatsapp_value()
    value |= {"messages": messages} if messages else {}
    value |= {"statuses": list(statuses)} if statuses else {}
    return whatsapp_body(value)


def at_once(front: Caller, *bodies: bytes) -> list[FakeConnection]:
    """Return the answers to deliveries that arrive together."""

    async def arrive(called: Front) -> list[FakeConnection]:
        headers = [{"X-Hub-Signature-256": signature(body)} for body in bodies]
        requests = (asking(called, "POST", HOOK, body, given) for body, given in zip(bodies, headers, strict=True))
        return await asyncio.gather(*requests)

    return front.together(arrive)


def stored() -> list[str]:
    return sorted(InboundMessage.objects.values_list("external_id", flat=True))


def sent(external_id: str) -> OutboundMessage:
    key = OutboundMessage.objects.count() + 1
    return OutboundMessage.objects.create(
        bot=Bot.objects.get(), address=ALICE, turn_key=key, part=1, text="x", status="sent", external_id=external_id
    )


def told(external_id: str, status: str, **fields: Any) -> dict[str, Any]:
    return {"id": external_id, "status": status, "timestamp": "1700000000", "recipient_id": ALICE[1:], **fields}


def test_messages_that_wait_together_are_one_statement(front: Caller) -> None:
    with CaptureQueriesContext(connection) as captured:
        answers = at_once(front, *(delivery(str(number)) for number in range(20)))
    assert [answer.status for answer in answers] == [200] * 20
    assert len(stored()) == 20
    (statement,) = [query["sql"] for query in captured]
    assert statement.startswith("INSERT INTO bot_inboundmessage")


def test_what_needs_several_statements_is_one_transaction(front: Caller) -> None:
    sent("wamid.out")
    with CaptureQueriesContext(connection) as captured:
        answers = at_once(front, delivery("1"), delivery(statuses=[told("wamid.out", "delivered")]), delivery("2"))
    assert [answer.status for answer in answers] == [200] * 3
    statements = [query["sql"].split()[0] for query in captured]
    assert statements == ["BEGIN", "INSERT", "UPDATE", "COMMIT"]


def test_a_row_that_the_database_refuses_fails_its_own_delivery_only(
    front: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = accept._inbound_row

    def spoilt(*arguments: Any) -> Any:
        row = real(*arguments)
        return row._replace(received_at=cast("Any", None)) if row.external_id == "wamid.bad" else row

    monkeypatch.setattr(accept, "_inbound_row", spoilt)
    answers = at_once(front, delivery("1"), delivery("2", "bad"), delivery("3"))

    assert [answer.status for answer in answers] == [200, 503, 200]
    assert stored() == ["wamid.1", "wamid.3"]


def test_a_commit_that_fails_is_nobodys_200(front: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    sent("wamid.out")

    def fails() -> None:
        raise OperationalError("the server closed the connection")

    bodies = [delivery("1"), delivery(statuses=[told("wamid.out", "delivered")])]
    with monkeypatch.context() as patch:
        patch.setattr(connection, "commit", fails)
        answers = at_once(front, *bodies)
    assert [answer.status for answer in answers] == [503, 503]
    assert stored() == []
    assert [answer.status for answer in at_once(front, *bodies)] == [200, 200]
    assert stored() == ["wamid.1"]


def test_two_copies_of_a_message_in_one_group_are_one_row_and_one_redelivery(
    front: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    pending.take()
    events: list[tuple[str, str]] = []
    with listening(lambda record: events.append((record.getMessage(), vars(record).get("request_id", "")))):
        answers = at_once(front, delivery("1"), delivery("1"))
    assert [answer.status for answer in answers] == [200, 200]
    assert stored() == ["wamid.1"]
    ids = [answer.header("x-request-id")[0] for answer in answers]
    assert [event for event in events if event[0].startswith("message_")] == [
        ("message_received", ids[0]),
        ("message_redelivered", ids[1]),
    ]
    assert InboundMessage.objects.get().request_id == ids[0]
    assert counted("messages_received") == 1
    assert counted("messages_redelivered") == 1


@contextmanager
def listening(tell: Callable[[logging.LogRecord], object]) -> Iterator[None]:
    """Tell of each line inside the block while what is bound to it is."""
    handler = logging.Handler()
    handler.emit = tell  # type: ignore[method-assign, assignment]
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)


def counted(name: str) -> float:
    """Return what was counted under a name, once it is written down."""
    metrics.flush()
    return sum(Counter.objects.filter(name=name).values_list("value", flat=True))


def test_statuses_of_one_message_in_one_group_keep_their_order(front: Caller) -> None:
    one, two = sent("wamid.one"), sent("wamid.two")
    in_order = [delivery(statuses=[told("wamid.one", word)]) for word in ("delivered", "read")]
    backwards = [delivery(statuses=[told("wamid.two", word)]) for word in ("read", "delivered", "failed")]
    assert {answer.status for answer in at_once(front, *in_order, *backwards)} == {200}
    for message in (one, two):
        message.refresh_from_db()
    assert one.delivered_at is not None and one.read_at is not None
    assert (one.status, two.status, two.error_code) == ("read", "read", "")
    assert two.delivered_at is None, "nothing goes back"


def test_a_status_in_one_delivery_knows_a_message_by_what_another_of_its_group_tells(front: Caller) -> None:
    message = sent("")
    named = told("wamid.new", "delivered", biz_opaque_callback_data=echo(message.pk))
    answers = at_once(front, delivery(statuses=[named]), delivery(statuses=[told("wamid.new", "read")]))
    assert [answer.status for answer in answers] == [200, 200]
    message.refresh_from_db()
    assert (message.external_id, message.status) == ("wamid.new", "read")
