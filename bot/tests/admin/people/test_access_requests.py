"""Who asked for access is let in with one click; requests that are no use are dismissed."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from bot.models import AccessRequest
from bot.tests.queue.asking import ask, button
from bot.tests.support.factories import STRANGER, BotFactory, WhatsAppBotFactory
from users.models import User
from users.roles import Role
from users.tests.factories import UserFactory, alice

pytestmark = [pytest.mark.database, pytest.mark.django_db]

LIST = reverse("admin:bot_accessrequest_changelist")


def said(response: Any) -> list[str]:
    """Return what this response says (a page that was never shown leaves its messages to the next)."""
    return [str(message) for message in get_messages(response.wsgi_request)][-1:]


@pytest.fixture
def as_admin(client: Client) -> Client:
    client.force_login(UserFactory.create(name="Bob", role=Role.ADMIN))
    return client


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
