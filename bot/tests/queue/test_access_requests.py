"""Who asked for access is let in as the person they are, and their requests go."""

import pytest
from django.test import Client

from bot.models import AccessRequest
from bot.queue import accept
from bot.queue.access_requests import RequestGone, allow_asker
from bot.queue.snapshot import ActiveBot
from bot.tests.queue.asking import ask, button
from bot.tests.support.factories import STRANGER, BotFactory, WhatsAppBotFactory, event
from bot.tests.support.fakes import ScriptedChannel, ScriptedModel, work_until
from users.models import User
from users.tests.factories import alice, charlie
from users.tests.together import together
from users.whitelist import By

pytestmark = [pytest.mark.database, pytest.mark.django_db]

BSUID = "US.13491208655302741918"


def test_a_number_becomes_a_person_with_that_number() -> None:
    person = allow_asker(ask(), By())[0]
    assert (person.phone_number, person.name, person.is_whitelisted, person.role) == (STRANGER, "Dana", True, "user")
    assert not AccessRequest.objects.exists()


def test_an_address_that_is_no_number_becomes_an_identity() -> None:
    person = allow_asker(ask(BSUID), By())[0]
    assert (person.phone_number, person.is_whitelisted) == (None, True)
    assert User.objects.for_identity("whatsapp", BSUID) == person


@pytest.mark.parametrize(("name", "kept"), [("Charlie", "Charlie"), ("", "Dana")])
def test_who_is_known_is_put_on_the_whitelist_and_keeps_their_name(name: str, kept: str) -> None:
    known = charlie(phone_number=STRANGER, name=name)
    assert allow_asker(ask(), By())[0] == known
    known.refresh_from_db()
    assert (known.is_whitelisted, known.name) == (True, kept)
    assert User.objects.count() == 1


def test_the_other_spelling_of_a_number_is_the_same_person() -> None:
    known = charlie(phone_number="+5531987654321")
    assert allow_asker(ask("+553187654321"), By())[0] == known


def test_the_requests_to_other_bots_of_the_channel_go_as_well_and_those_of_others_stay() -> None:
    asked = ask()
    ask(bot=WhatsAppBotFactory.create(account_id="2"))
    others = [ask("+12025550999", bot=asked.bot), ask(bot=BotFactory.create())]
    allow_asker(asked, By())[0]
    assert set(AccessRequest.objects.all()) == set(others)


def test_a_request_that_was_dismissed_is_not_allowed() -> None:
    asked = ask()
    AccessRequest.objects.filter(pk=asked.pk).delete()
    with pytest.raises(RequestGone):
        allow_asker(asked, By())[0]
    assert not User.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("address", [STRANGER, BSUID])
def test_two_bots_requests_of_one_person_allowed_at_once_are_one_person(address: str) -> None:
    bots = [WhatsAppBotFactory.create(account_id=str(number)) for number in range(4)]
    requests = [ask(address, bot=bot) for bot in bots]
    results = together(*(lambda r=r: allow_asker(r, By())[0] for r in requests))
    assert {type(result) for result in results} <= {User, RequestGone}
    assert User.objects.get().is_whitelisted
    assert not AccessRequest.objects.exists()


@pytest.mark.usefixtures("turns_db")
def test_who_was_allowed_with_one_click_is_answered(
    client: Client, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    accept.accept(bot, [event("m1", address=STRANGER, text="Hi")])
    work_until(model=model)
    assert model.history == []

    client.force_login(alice())
    assert client.post(button(AccessRequest.objects.get())).status_code == 302
    accept.accept(bot, [event("m2", address=STRANGER, text="Hi again")])
    work_until(model=model)

    assert channel.texts[1:] == ["Echo: Hi again"]
