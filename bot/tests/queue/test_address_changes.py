"""A person changes their number: told by signed webhooks, and answered as the same person on the new one."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from bot.channels.events import AddressChanged
from bot.models import AccessRequest, InboundMessage, Lease, OutboundMessage
from bot.queue import accept
from bot.queue.snapshot import ActiveBot, forget
from bot.tests.support.factories import (
    ALICE,
    BOB,
    PHONE_NUMBER_ID,
    STRANGER,
    BotFactory,
    InboundFactory,
    WhatsAppBotFactory,
    event,
    signature,
    whatsapp_body,
    whatsapp_message,
    whatsapp_value,
    whitelisted,
)
from bot.tests.support.fakes import ScriptedChannel, ScriptedModel, states, work_until
from users.models import User
from users.roles import Role

pytestmark = pytest.mark.database

NEW = "+4915199999999"
OLD_ID, NEW_ID = "DE.13491208655302741918", "DE.24817305912873645029"
CHANGED = AddressChanged("wamid.change", ((ALICE, NEW), (OLD_ID, NEW_ID)))


def number_changed(old: str = ALICE, new: str = NEW, id: str = "wamid.change", **system: Any) -> dict[str, Any]:
    changed = {"type": "user_changed_number", "wa_id": new[1:], **system}
    at = str(int(timezone.now().timestamp()))
    return {"id": id, "from": old[1:], "timestamp": at, "type": "system", "system": changed}


def deliver(client: Client, *messages: dict[str, Any], account: str = PHONE_NUMBER_ID) -> None:
    post(client, whatsapp_body(whatsapp_value(account=account, messages=list(messages))))


def post(client: Client, body: bytes) -> None:
    headers = {"X-Hub-Signature-256": signature(body)}
    response = client.post("/webhooks/whatsapp/shop/", body, content_type="application/json", headers=headers)
    assert response.status_code == 200


def who(address: str) -> User | None:
    return User.objects.for_identity("whatsapp", address)


@pytest.fixture
def shop(db: None) -> Any:
    forget()
    return WhatsAppBotFactory.create(slug="shop")


@pytest.mark.django_db
def test_the_number_moves_with_the_delivery_that_says_so(client: Client, shop: Any, caplog: Any) -> None:
    alice = whitelisted(ALICE)
    User.objects.link_identity(alice, "whatsapp", OLD_ID)
    AccessRequest.objects.create(bot=shop, address=NEW)
    caplog.set_level("INFO")

    deliver(client, number_changed(previous_user_id=OLD_ID, user_id=NEW_ID), whatsapp_message("Hi", NEW))

    assert (who(NEW), who(NEW_ID), who(ALICE), who(OLD_ID)) == (alice, alice, None, None)
    assert not AccessRequest.objects.exists()
    assert states() == [("pending", ""), ("done", "")]
    row = InboundMessage.objects.get(kind="address_changed")
    # By it an erasure finds what was written from the old number; it goes with the other rows of these days.
    assert (row.address, row.payload) == (NEW, {"moves": [[ALICE, NEW], [OLD_ID, NEW_ID]]})
    assert "address_moved" in caplog.text
    assert not any(name[1:] in caplog.text for name in (ALICE, NEW, OLD_ID, NEW_ID))


@pytest.mark.django_db
def test_the_field_of_those_in_between_moves_the_id(client: Client, shop: Any) -> None:
    alice = whitelisted(ALICE)
    User.objects.link_identity(alice, "whatsapp", OLD_ID)
    at = str(int(timezone.now().timestamp()))
    value = whatsapp_value(user_id_update=[{"user_id": {"previous": OLD_ID, "current": NEW_ID}, "timestamp": at}])
    entry = {"id": "1", "changes": [{"field": "user_id_update", "value": value}]}

    post(client, json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode())

    assert (who(ALICE), who(NEW_ID), who(OLD_ID)) == (alice, alice, None)


@pytest.mark.django_db
def test_delivered_again_it_does_not_take_the_old_number_from_who_has_it_now(client: Client, shop: Any) -> None:
    alice = whitelisted(ALICE)
    deliver(client, number_changed())
    deliver(client, number_changed(NEW, BOB, "wamid.again"))
    carol = whitelisted(ALICE, name="Carol")

    deliver(client, number_changed())

    assert (who(BOB), who(ALICE), who(NEW)) == (alice, carol, None)


@pytest.mark.django_db
def test_there_and_back_and_there_again_is_followed(client: Client, shop: Any) -> None:
    alice = whitelisted(ALICE)
    steps = [(ALICE, NEW), (NEW, ALICE), (ALICE, NEW)]
    deliver(client, *(number_changed(old, new, f"wamid.{n}") for n, (old, new) in enumerate(steps)))
    assert (who(NEW), who(ALICE)) == (alice, None)


@pytest.mark.django_db
def test_a_number_of_somebody_else_means_nobody_until_staff_decide(client: Client, shop: Any, caplog: Any) -> None:
    whitelisted(ALICE)
    whitelisted(BOB)
    deliver(client, number_changed(new=BOB))
    assert (who(ALICE), who(BOB)) == (None, None)
    assert "identity_conflict" in caplog.text
    assert BOB[1:] not in caplog.text


@pytest.mark.django_db
def test_a_stranger_who_changes_their_number_leaves_no_trace(client: Client, shop: Any) -> None:
    deliver(client, number_changed(STRANGER))
    assert not User.objects.exists()
    assert not InboundMessage.objects.exists()


@pytest.mark.django_db
def test_who_cannot_sign_for_an_account_moves_nobody_of_it(client: Client, shop: Any) -> None:
    alice = whitelisted(ALICE)
    WhatsAppBotFactory.create(slug="other", account_id="999", credentials={"app_secret": "another"})
    deliver(client, number_changed(), account="999")
    assert who(ALICE) == alice


@pytest.mark.django_db
def test_staff_move_as_well_and_it_is_a_warning(client: Client, shop: Any, caplog: Any) -> None:
    owner = whitelisted(ALICE, role=Role.OWNER)
    deliver(client, number_changed())
    owner.refresh_from_db()
    assert owner.phone_number == NEW
    (record,) = (record for record in caplog.records if record.msg == "address_moved")
    assert (record.levelname, record.person, record.staff) == ("WARNING", owner.pk, True)


@pytest.mark.usefixtures("turns_db")
def test_who_wrote_from_the_old_number_is_answered_on_the_new_one_as_the_same_person(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    accept.accept(bot, [event("m1", text="I like tea")])
    work_until(model=model)
    accept.accept(bot, [event("m2", text="What do I like?")])
    accept.accept(bot, [CHANGED])
    accept.accept(bot, [event("m3", text="Hello?", address=NEW)])
    accept.accept(bot, [event("m4", text="Hello?", address=ALICE)])

    work_until(model=model)

    answered = [(sent.address, sent.text) for sent in channel.sent]
    assert answered[0] == (ALICE, "Echo: I like tea")
    # (Whoever writes from the old number now is another chat: the two are answered in any order.)
    assert (NEW, "Echo: What do I like?\nHello?") in answered[1:]
    assert [m.content for m in model.history[-1].messages][1:3] == ["I like tea", "Echo: I like tea"]
    strangers = [address for address, text in answered if "I only answer people" in text]
    assert (strangers, len(answered)) == ([ALICE], 3)


@pytest.mark.usefixtures("turns_db")
def test_a_stored_reply_goes_to_the_new_number(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    waiting = InboundFactory.create(bot_id=bot.id, bot=None, address=ALICE, payload={"text": "Hi"})
    InboundMessage.objects.update(turn_key=waiting.pk)
    OutboundMessage.objects.create(bot_id=bot.id, address=ALICE, turn_key=waiting.pk, part=1, text="Stored")

    accept.accept(bot, [CHANGED])
    work_until(model=model)

    assert [(sent.address, sent.text) for sent in channel.sent] == [(NEW, "Stored")]
    assert OutboundMessage.objects.get().address == NEW
    assert model.history == []


@pytest.mark.usefixtures("turns_db")
def test_a_chat_that_is_being_worked_on_is_left_to_its_worker(alice: User, bot: ActiveBot) -> None:
    InboundFactory.create(bot_id=bot.id, bot=None, address=ALICE)
    lease = Lease.objects.create(
        bot_id=bot.id, address=ALICE, worker="somebody", fence=3, expires_at=timezone.now() + timedelta(seconds=20)
    )
    accept.accept(bot, [CHANGED])
    lease.refresh_from_db()
    assert (lease.worker, lease.fence) == ("somebody", 3)
    assert InboundMessage.objects.pending().get().address == ALICE
    assert User.objects.for_identity("console", NEW) == alice


@pytest.mark.usefixtures("turns_db")
def test_a_worker_whose_lease_ran_out_cannot_write_to_a_chat_that_moved(alice: User, bot: ActiveBot) -> None:
    InboundFactory.create(bot_id=bot.id, bot=None, address=ALICE)
    lease = Lease.objects.create(bot_id=bot.id, address=ALICE, worker="w", fence=3, expires_at=timezone.now())
    accept.accept(bot, [CHANGED])
    lease.refresh_from_db()
    assert (lease.worker, lease.fence) == ("", 4)
    assert InboundMessage.objects.pending().get().address == NEW


@pytest.mark.django_db
def test_chats_of_other_channels_stay_where_they_are(shop: Any, client: Client) -> None:
    whitelisted(ALICE)
    console = BotFactory.create()
    InboundFactory.create(bot=console, address=ALICE)
    deliver(client, number_changed())
    assert InboundMessage.objects.pending().get().address == ALICE
