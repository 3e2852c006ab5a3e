"""Who asked for access is let in with one click; requests that are no use are dismissed."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from bot.models import AccessRequest, Bot
from bot.queue import accept
from bot.queue.access_requests import RequestGone, allow_asker
from bot.queue.snapshot import ActiveBot
from bot.tests.support.factories import STRANGER, BotFactory, WhatsAppBotFactory, event
from bot.tests.support.fakes import ScriptedChannel, ScriptedModel, work_until
from users.models import User
from users.roles import Role
from users.tests.factories import UserFactory, alice, charlie
from users.tests.together import together
from users.whitelist import By

pytestmark = [pytest.mark.database, pytest.mark.django_db]

LIST = reverse("admin:bot_accessrequest_changelist")
BSUID = "US.13491208655302741918"


def ask(address: str = STRANGER, name: str = "Dana", bot: Bot | None = None) -> AccessRequest:
    return AccessRequest.objects.create(
        bot=bot or WhatsAppBotFactory.create(), address=address, profile_name=name, messages=1
    )


def button(request: AccessRequest) -> str:
    return reverse("admin:bot_accessrequest_allow", args=(request.pk,))


def said(response: Any) -> list[str]:
    """Return what this response says (a page that was never shown leaves its messages to the next)."""
    return [str(message) for message in get_messages(response.wsgi_request)][-1:]


@pytest.fixture
def as_admin(client: Client) -> Client:
    client.force_login(UserFactory.create(name="Bob", role=Role.ADMIN))
    return client


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


def test_the_list_has_a_button_for_each_that_posts_with_the_token(as_admin: Client) -> None:
    requests = [ask(), ask("+12025550124", bot=BotFactory.create())]
    page = as_admin.get(LIST).content.decode()
    assert all(f'formaction="{button(request)}"' in page for request in requests)
    form = page[page.index('id="changelist-form"') :]
    assert form.index("csrfmiddlewaretoken") < form.index("formaction") < form.index("</form>")
    assert "delete_selected" not in page


def test_an_admin_allows_with_the_button_and_it_is_noted_who_did(
    as_admin: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    response = as_admin.post(button(ask()))
    assert (response.status_code, said(response)) == (302, ["1 person was added to the whitelist."])
    person = User.objects.get(phone_number=STRANGER)
    (record,) = (record for record in caplog.records if record.msg == "person_allowed")
    assert (record.person, record.staff) == (person.pk, User.objects.get(name="Bob").pk)  # type: ignore[attr-defined]
    assert STRANGER not in caplog.text
    entry = LogEntry.objects.get()
    assert STRANGER not in f"{entry.object_repr} {entry.change_message}"


def test_the_second_click_says_that_it_was_done(as_admin: Client) -> None:
    asked = ask()
    as_admin.post(button(asked))
    assert said(as_admin.post(button(asked))) == ["Nothing was done: somebody has allowed or dismissed this already."]
    assert User.objects.filter(phone_number=STRANGER).count() == 1


def test_the_button_wants_a_post_with_a_token(as_admin: Client) -> None:
    asked = ask()
    assert as_admin.get(button(asked)).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice())
    assert strict.post(button(asked)).status_code == 403
    assert AccessRequest.objects.exists()


@pytest.mark.parametrize("who", ["a person who chats", "nobody"])
def test_who_may_not_change_people_allows_nobody(client: Client, who: str) -> None:
    asked = ask()
    if who != "nobody":
        client.force_login(UserFactory.create(is_staff=True))
    assert client.post(button(asked)).status_code in (302, 403)
    assert client.post(LIST, {"action": "allow", "_selected_action": [asked.pk]}).status_code in (302, 403)
    assert AccessRequest.objects.exists()
    assert not User.objects.filter(phone_number=STRANGER).exists()


def test_several_are_allowed_and_several_dismissed(as_admin: Client) -> None:
    bot = WhatsAppBotFactory.create()
    first, second, third, fourth = (ask(f"+1202555012{n}", bot=bot) for n in range(4))
    response = as_admin.post(LIST, {"action": "allow", "_selected_action": [first.pk, second.pk]})
    assert said(response) == ["2 people were added to the whitelist."]
    response = as_admin.post(LIST, {"action": "dismiss", "_selected_action": [third.pk]})
    assert said(response) == ["1 request was dismissed."]
    assert AccessRequest.objects.get() == fourth
    assert set(User.objects.whitelisted().exclude(name="Bob").values_list("phone_number", flat=True)) == {
        "+12025550120",
        "+12025550121",
    }


def dismissing(request: AccessRequest) -> str:
    return reverse("admin:bot_accessrequest_dismiss", args=(request.pk,))


def test_an_admin_dismisses_one_with_its_button(as_admin: Client) -> None:
    asked, other = ask(), ask("+12025550124")
    assert f'formaction="{dismissing(asked)}"' in as_admin.get(LIST).content.decode()
    response = as_admin.post(dismissing(asked))
    assert (response.status_code, said(response)) == (302, ["1 request was dismissed."])
    assert list(AccessRequest.objects.all()) == [other]
    assert not User.objects.filter(phone_number=STRANGER).exists()


def test_dismissing_wants_a_post_with_a_token_of_who_may(as_admin: Client, client: Client) -> None:
    asked = ask()
    assert as_admin.get(dismissing(asked)).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice())
    assert strict.post(dismissing(asked)).status_code == 403
    client.force_login(UserFactory.create(is_staff=True))
    assert client.post(dismissing(asked)).status_code == 403
    assert AccessRequest.objects.exists()


def test_the_list_says_who_when_which_bot_and_how_often(as_admin: Client) -> None:
    now = timezone.now()
    AccessRequest.objects.filter(pk=ask(bot=WhatsAppBotFactory.create(name="Shop")).pk).update(
        profile_name="Dana", messages=7, first_seen_at=now - timedelta(days=3), last_seen_at=now - timedelta(hours=2)
    )
    page = as_admin.get(LIST).content.decode()
    assert all(text in page for text in (STRANGER, "Dana", "Shop", ">7<", "3\xa0days ago", "2\xa0hours ago"))


def test_an_empty_list_says_that_nobody_waits_and_a_search_without_results_does_not(as_admin: Client) -> None:
    assert "Nobody is waiting." in as_admin.get(LIST).content.decode()
    assert "Nobody is waiting." not in as_admin.get(LIST, {"q": STRANGER}).content.decode()


def test_the_list_costs_the_same_for_many(as_admin: Client, django_assert_num_queries: Any) -> None:
    bots = [BotFactory.create() for _number in range(3)]
    for number in range(30):
        ask(f"+1202555{number:04}", bot=bots[number % 3])
    with django_assert_num_queries(5):  # session, who asks, the bots to filter by, the count, the page
        as_admin.get(LIST)
