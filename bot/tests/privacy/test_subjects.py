"""Whom an export or an erasure is about: a person under all their names, or an address that is nobody's."""

import pytest

from bot.models import InboundMessage
from bot.privacy.subjects import subject_of, subject_of_address, subject_of_number
from bot.tests.support.factories import BotFactory, InboundFactory
from users.models import User
from users.tests.factories import UserFactory

pytestmark = [pytest.mark.database, pytest.mark.django_db]

NUMBER = "+4915112345678"
ID = "DE.13491208655302741918"


def test_a_person_is_meant_by_their_number_and_each_of_their_addresses() -> None:
    person = UserFactory.create(phone_number=NUMBER)
    User.objects.link_identity(person, "whatsapp", ID)
    named = subject_of(person).addresses
    assert ("whatsapp", ID) in named and ("console", NUMBER) in named
    assert subject_of(person).numbers == {NUMBER}


def test_rows_of_an_address_are_those_of_its_channel() -> None:
    ours = InboundFactory.create(bot=BotFactory.create(slug="shop"), address=ID)
    InboundFactory.create(bot=BotFactory.create(slug="desk", channel="whatsapp"), address=ID)
    InboundFactory.create(bot=ours.bot, address=NUMBER)
    stranger = subject_of_address("console", ID)
    assert stranger.person is None
    assert list(InboundMessage.objects.filter(stranger.chats(InboundMessage))) == [ours]


def test_a_number_that_is_nobodys_is_meant_in_any_spelling() -> None:
    subject = subject_of_number("0049 151 1234-5678")
    assert subject.person is None
    assert subject.numbers == {NUMBER}
