"""Whose a row of the inbox or outbox is, also under former and second names."""

from datetime import timedelta

import pytest
from django.utils import timezone

from bot.channels.events import AddressChanged
from bot.models import InboundMessage, Lease, OutboundMessage
from bot.privacy.erasure.erase import erase
from bot.privacy.subjects import subject_of_number
from bot.queue import accept, snapshot
from bot.queue.snapshot import ActiveBot
from bot.tests.privacy.erasure.erasing import forget
from bot.tests.support.factories import ALICE, BotFactory, InboundFactory, event, whitelisted
from users.models import Identity, User

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]

ID = "DE.13491208655302741918"


@pytest.mark.parametrize("spelling", ["+5511987654321", "+551187654321"])
def test_every_spelling_of_a_number_goes(transactional_db: None, spelling: str, bot: ActiveBot) -> None:
    whitelisted("+5511987654321")
    InboundFactory.create(bot_id=bot.id, address=spelling, state="done")
    erase(subject_of_number("+55 11 8765-4321"), via="command")
    assert (User.objects.count(), InboundMessage.objects.count()) == (0, 0)


def test_a_second_identity_goes_with_the_first(alice: User, bot: ActiveBot) -> None:
    User.objects.link_identity(alice, "console", ID)
    for address in (ALICE, ID):
        InboundFactory.create(bot_id=bot.id, address=address, state="done")
    forget(alice)
    assert (InboundMessage.objects.count(), Identity.objects.count()) == (0, 0)
    snapshot.forget()  # (or five seconds later)
    accept.accept(bot, [event("late", address=ID, sent_at=timezone.now() - timedelta(minutes=1))])
    assert not InboundMessage.objects.exists()


def test_a_message_that_names_them_besides_goes_before_the_name_is_linked(alice: User, bot: ActiveBot) -> None:
    InboundFactory.create(bot_id=bot.id, address=ID, payload={"text": "x", "other_address": ALICE})
    forget(alice)
    assert not InboundMessage.objects.exists()


def test_the_same_address_on_another_channel_is_somebody_elses(alice: User, bot: ActiveBot) -> None:
    User.objects.link_identity(alice, "console", ID)
    elsewhere = BotFactory.create(channel="whatsapp", slug="elsewhere")
    InboundFactory.create(bot=elsewhere, address=ID, state="done")
    forget(alice)
    assert InboundMessage.objects.count() == 1


def test_what_was_written_from_a_former_number_goes_and_the_new_holders_does_not(alice: User, bot: ActiveBot) -> None:
    new = "+4915199999999"
    InboundFactory.create(bot_id=bot.id, address=ALICE, state="done", external_id="before")
    OutboundMessage.objects.create(
        bot_id=bot.id, address=ALICE, turn_key=InboundMessage.objects.get().pk, part=1, status="sent"
    )
    Lease.objects.create(bot_id=bot.id, address=ALICE, expires_at=timezone.now())
    accept.accept(bot, [AddressChanged("change", ((ALICE, new),))])
    holder = whitelisted(ALICE, name="Carol")
    InboundFactory.create(bot_id=bot.id, address=ALICE, state="done", external_id="after")
    person = User.objects.get(phone_number=new)
    forget(person)
    assert list(InboundMessage.objects.values_list("external_id", flat=True)) == ["after"]
    assert not OutboundMessage.objects.exists()
    assert not Lease.objects.exists()
    assert User.objects.filter(pk=holder.pk).exists()
    snapshot.forget()  # (or five seconds later)
    long_ago = timezone.now() - timedelta(hours=1)
    accept.accept(bot, [event("before", sent_at=long_ago), event("later", sent_at=timezone.now())])
    assert list(InboundMessage.objects.order_by("pk").values_list("external_id", flat=True)) == ["after", "later"]


def test_a_number_before_the_former_one_is_known_as_well(alice: User, bot: ActiveBot) -> None:
    second, third = "+4915199999999", "+4915188888888"
    for number, (old, new) in enumerate(((ALICE, second), (second, third))):
        InboundFactory.create(bot_id=bot.id, address=old, state="done")
        accept.accept(bot, [AddressChanged(f"change-{number}", ((old, new),))])
    InboundFactory.create(bot_id=bot.id, address=ALICE, state="done", external_id="of somebody else")
    forget(User.objects.get(phone_number=third))
    assert list(InboundMessage.objects.values_list("external_id", flat=True)) == ["of somebody else"]
