"""What webhooks deliver is stored once, each event on its own."""

from collections.abc import Iterator
from typing import Any

import pytest

from bot.models import InboundMessage, OutboundMessage
from bot.tests.support.echoes import echo
from bot.tests.support.entrances import ENTRANCES, Entrance, entrance
from bot.tests.support.factories import (
    ALICE,
    WhatsAppBotFactory,
    whatsapp_body,
    whatsapp_message,
    whatsapp_value,
)
from bot.tests.support.posting import post
from users.models import User

pytestmark = [
    pytest.mark.database,
    pytest.mark.django_db,
    pytest.mark.promise("batch"),
    pytest.mark.promise("statuses"),
]


@pytest.fixture
def bot() -> Any:
    return WhatsAppBotFactory.create(slug="shop")


@pytest.fixture(params=ENTRANCES)
def door(request: pytest.FixtureRequest, db: None) -> Iterator[Entrance]:
    with entrance(request.param) as opened:
        yield opened


def test_one_message_costs_one_statement(door: Entrance, bot: Any, django_assert_num_queries: Any) -> None:
    body = whatsapp_body(whatsapp_value(messages=[whatsapp_message()]))
    post(door, bot, b"{}")  # the bot is known now

    with django_assert_num_queries(1):
        assert post(door, bot, body).status == 200


def test_every_message_of_every_entry_is_stored_once_however_often_it_is_delivered(door: Entrance, bot: Any) -> None:
    values = [
        whatsapp_value(messages=[whatsapp_message(id=f"wamid.{entry}.{item}") for item in range(3)])
        for entry in range(2)
    ]
    for _ in range(3):
        assert post(door, bot, whatsapp_body(*values)).status == 200

    assert InboundMessage.objects.count() == 6


def test_a_malformed_item_is_quarantined_and_the_others_count(door: Entrance, bot: Any) -> None:
    good = [whatsapp_message(id="wamid.1"), whatsapp_message(id="wamid.3")]
    body = whatsapp_body(whatsapp_value(messages=[good[0], {"from": 5, "id": []}, good[1]]))

    for _ in range(2):
        assert post(door, bot, body).status == 200

    assert list(InboundMessage.objects.filter(state="pending").values_list("external_id", flat=True)) == [
        "wamid.1",
        "wamid.3",
    ]
    quarantined = InboundMessage.objects.get(state="quarantined")
    assert quarantined.payload["reason"]
    assert quarantined.error_code == "INVALID_INPUT"


def test_events_of_another_number_go_to_its_bot_only_when_it_trusts_the_same_secret(door: Entrance, bot: Any) -> None:
    sister = WhatsAppBotFactory.create(account_id="777")
    WhatsAppBotFactory.create(account_id="888", credentials={"app_secret": "another"})
    values = [
        whatsapp_value(account=account, messages=[whatsapp_message(id=f"wamid.{account}")])
        for account in ("777", "888", "999")
    ]

    assert post(door, bot, whatsapp_body(*values)).status == 200

    assert InboundMessage.objects.get().bot_id == sister.pk


def test_a_status_moves_its_message_forward_and_never_back(door: Entrance, bot: Any) -> None:
    outbound = OutboundMessage.objects.create(
        bot=bot, address=ALICE, turn_key=1, part=1, text="An answer", status="sending"
    )

    def tell(status: str, **fields: Any) -> None:
        item = {"id": "wamid.out", "status": status, "timestamp": "1700000000", "recipient_id": ALICE[1:], **fields}
        assert post(door, bot, whatsapp_body(whatsapp_value(statuses=[item]))).status == 200
        outbound.refresh_from_db()

    tell("delivered")
    assert outbound.status == "sending", "nothing says yet that wamid.out is this message"
    tell("delivered", biz_opaque_callback_data=echo(outbound.pk))
    assert (outbound.status, outbound.external_id, outbound.text) == ("delivered", "wamid.out", "")
    tell("sent")
    assert outbound.status == "delivered"
    tell("read")
    assert outbound.status == "read"
    tell("failed", errors=[{"code": 131026}])
    assert (outbound.status, outbound.error_code) == ("read", "")


@pytest.mark.parametrize(
    ("listed", "writes_as"),
    [("+225 05 45 12 34 56", "22545123456"), ("+229 01 97 12 34 56", "22997123456")],
)
def test_who_is_on_the_list_is_known_by_the_number_of_before_it_was_made_longer(
    door: Entrance, bot: Any, listed: str, writes_as: str
) -> None:
    person = User.objects.create_user(listed, is_whitelisted=True)
    value = whatsapp_value(messages=[whatsapp_message("Bonjour", f"+{writes_as}")])
    assert post(door, bot, whatsapp_body(value)).status == 200
    message = InboundMessage.objects.get()
    assert User.objects.for_identity("whatsapp", message.address) == person


def test_an_echoed_id_of_another_bots_message_changes_nothing(door: Entrance, bot: Any) -> None:
    other = WhatsAppBotFactory.create(account_id="888", credentials={"app_secret": "another"})
    outbound = OutboundMessage.objects.create(bot=other, address=ALICE, turn_key=1, part=1, text="x", status="sending")
    item = {"id": "wamid.out", "status": "read", "recipient_id": "1", "biz_opaque_callback_data": echo(outbound.pk)}

    assert post(door, bot, whatsapp_body(whatsapp_value(statuses=[item]))).status == 200

    outbound.refresh_from_db()
    assert outbound.status == "sending"


def test_hostile_text_is_stored_without_what_no_database_holds(door: Entrance, bot: Any) -> None:
    body = whatsapp_body(whatsapp_value(messages=[whatsapp_message("a\u0000b\ud800c\u202e")]))
    assert b"\\u0000" in body
    assert b"\\ud800" in body

    assert post(door, bot, body).status == 200
    assert InboundMessage.objects.get().payload["text"] == "abc\u202e"
