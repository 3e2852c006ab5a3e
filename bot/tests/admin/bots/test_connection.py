"""A bot's connection in the admin: its test, for who may change bots, and its URL to be copied."""

from collections.abc import Iterator

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from bot.admin.bots import connection as admin_connections
from bot.dev.standins import StandIn
from bot.models import Bot
from bot.tests.operations.trying import SECRETS, graph_error, shop
from bot.tests.support.factories import BotFactory
from users.models import User
from users.roles import Role
from users.tests.factories import UserFactory

NUMBER = "+1 555-010-0001"
CONNECTED = f"Connected: Stand-in & Sons, {NUMBER} (quality rating: high)."


@pytest.fixture(scope="module")
def running() -> Iterator[StandIn]:
    with StandIn.start("whatsapp") as stand_in:
        yield stand_in


@pytest.fixture
def graph(running: StandIn, settings: Settings) -> StandIn:
    running.reset()
    settings.WHATSAPP_API_URL = f"{running.url}/v26.0"
    return running


@pytest.fixture
def owner(client: Client) -> User:
    user = User.objects.create_superuser("+4915112345678", "a good password")
    client.force_login(user)
    return user


def page_of(bot: Bot) -> str:
    return reverse("admin:bot_bot_change", args=(bot.pk,))


def button_of(bot: Bot) -> str:
    return reverse("admin:bot_bot_test", args=(bot.pk,))


def press(client: Client, bot: Bot) -> list[tuple[str, str]]:
    response = client.post(button_of(bot))
    assert response["Location"] == page_of(bot)
    return [(message.level_tag, str(message)) for message in get_messages(response.wsgi_request)]


@pytest.mark.django_db
def test_an_owner_sees_name_and_number(client: Client, owner: User, graph: StandIn) -> None:
    bot = shop()
    assert press(client, bot) == [("success", CONNECTED)]
    page = client.get(page_of(bot)).content.decode()
    assert "Stand-in &amp; Sons" in page
    assert f'action="{button_of(bot)}"' in page


@pytest.mark.django_db
def test_an_owner_sees_what_is_wrong_and_no_secret(client: Client, owner: User, graph: StandIn) -> None:
    bot = shop(contact="+4930123456", credentials={**SECRETS, "app_secret": ""})
    graph.script([graph_error(190)])
    said = press(client, bot)
    assert [level for level, _ in said] == ["error", "error"]
    assert "Meta refuses the access token" in said[0][1]
    page = client.get(page_of(bot)).content.decode()
    assert "Meta refuses the access token" in page
    assert "canary" not in page
    assert [level for level, _ in press(client, bot)] == ["success", "error", "warning"]


@pytest.mark.django_db
def test_a_console_bot_needs_no_connection(client: Client, owner: User) -> None:
    ((level, text),) = press(client, BotFactory.create())
    assert (level, "needs no connection" in text) == ("success", True)


@pytest.mark.django_db
@pytest.mark.parametrize("role", [Role.ADMIN, Role.USER])
def test_who_may_not_change_bots_has_no_button_and_is_refused(client: Client, graph: StandIn, role: Role) -> None:
    bot = shop()
    client.force_login(UserFactory.create(role=role, is_staff=True))
    assert client.post(button_of(bot)).status_code == 403
    assert button_of(bot) not in client.get(page_of(bot)).content.decode()
    assert graph.requests() == []


@pytest.mark.django_db
def test_nobody_presses_the_button_for_an_owner(owner: User, graph: StandIn) -> None:
    bot, careful = shop(), Client(enforce_csrf_checks=True)
    assert careful.post(button_of(bot)).status_code in (302, 403)  # (signed out)
    careful.force_login(owner)
    assert careful.post(button_of(bot)).status_code == 403
    assert careful.get(button_of(bot)).status_code == 405
    assert graph.requests() == []

    page = careful.get(page_of(bot))
    form = page.content.decode().partition(f'action="{button_of(bot)}"')[2].partition("</form>")[0]
    assert 'name="csrfmiddlewaretoken"' in form
    answer = careful.post(button_of(bot), {"csrfmiddlewaretoken": page.context["csrf_token"]})
    assert (answer.status_code, len(graph.requests())) == (302, 1)


@pytest.mark.django_db
def test_one_test_at_a_time_leaves_the_other_threads_to_webhooks(client: Client, owner: User, graph: StandIn) -> None:
    bot = shop()
    with admin_connections._running:
        assert press(client, bot)[0][0] == "warning"
    assert graph.requests() == []
    press(client, bot)
    assert len(graph.requests()) == 1


@pytest.mark.django_db
def test_a_test_that_crashes_lets_the_next_one_begin(
    client: Client, owner: User, graph: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(bot: Bot) -> None:
        raise RuntimeError("a bug")

    bot = shop()
    with monkeypatch.context() as patch:
        patch.setattr(admin_connections, "try_connection", crash)
        with pytest.raises(RuntimeError):
            client.post(button_of(bot))
    assert press(client, bot) == [("success", CONNECTED)]


@pytest.mark.django_db
def test_the_webhook_url_can_be_copied_by_a_script_of_its_own(client: Client, owner: User, settings: Settings) -> None:
    page = client.get(page_of(shop())).content.decode()
    assert f'data-copy="{settings.PUBLIC_URL}/webhooks/whatsapp/shop/"' in page
    assert "desk/desk.js" in page
