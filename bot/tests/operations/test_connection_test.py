"""Testing a bot's connection: what the provider says of it, what each failure means, in the admin and as a command."""

import asyncio
import logging
import socket
import threading
import traceback
from collections.abc import Iterator
from io import StringIO
from typing import Any

import aiohttp
import pytest
from django.contrib.messages import get_messages
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import lazy
from django.utils.translation import get_language, override
from pytest_django.fixtures import Settings

from bot.admin.bots import connection as admin_connections
from bot.channels.connection import Account, CheckError, Connection
from bot.channels.registry import CHANNELS
from bot.channels.whatsapp import WhatsAppChannel, api
from bot.channels.whatsapp.connection import SENTENCES
from bot.dev.standins import StandIn
from bot.models import Bot
from bot.operations.connection_test import try_connection
from bot.tests.support.factories import PHONE_NUMBER_ID, BotFactory, WhatsAppBotFactory
from users.models import User
from users.roles import Role
from users.tests.factories import UserFactory

# Looks like no token, so that nothing but care keeps it out of a log.
TOKEN = "canary-of-the-token"
SECRETS = {"access_token": TOKEN, "app_secret": "canary-of-the-app", "verify_token": "canary-of-the-webhook"}
ACCOUNT = Account("shop", PHONE_NUMBER_ID, SECRETS)
NUMBER = "+1 555-010-0001"
CONNECTED = f"Connected: Stand-in & Sons, {NUMBER} (quality rating: high)."
PROFILE = {"id": PHONE_NUMBER_ID, "display_phone_number": NUMBER}


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


def check(account: Account = ACCOUNT) -> Connection:
    async def run() -> Connection:
        async with aiohttp.ClientSession() as client:
            return await WhatsAppChannel().check(client, account)

    return asyncio.run(run())


def failure(account: Account = ACCOUNT) -> CheckError:
    with pytest.raises(CheckError) as caught:
        check(account)
    assert "canary" not in "".join(traceback.format_exception(caught.value)) + caught.value.sentence
    return caught.value


def graph_error(code: int, status: int = 400, **more: Any) -> dict[str, Any]:
    error = {"message": f"(#{code}) {TOKEN}", "type": "OAuthException", "code": code, "fbtrace_id": "Axyz", **more}
    return {"status": status, "json": {"error": error}}


def shop(**fields: Any) -> Bot:
    return WhatsAppBotFactory.create(**{"slug": "shop", "credentials": SECRETS, **fields})


def codes(bot: Bot) -> list[str]:
    return [problem.code for problem in try_connection(bot).problems]


# --- the adapter ---


def test_the_account_is_asked_for_with_the_token_and_nothing_is_sent(graph: StandIn) -> None:
    connection = check()
    assert (connection.sentence, connection.contact) == (CONNECTED, NUMBER)
    (request,) = graph.requests()
    assert (request["method"], request["authorized"], request["body"]) == ("GET", True, None)
    path, _, fields = request["path"].partition("?fields=")
    assert path == f"/v26.0/{PHONE_NUMBER_ID}"
    assert set(fields.replace("%2C", ",").split(",")) == {
        "id", "display_phone_number", "verified_name", "quality_rating",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("label", "answer", "said"),
    [
        (
            "a rating that is low",
            {"quality_rating": "RED", "verified_name": "Shop"},
            f"Shop, {NUMBER} (quality rating: low)",
        ),
        ("none yet", {"quality_rating": "UNKNOWN", "verified_name": "Shop"}, "quality rating: not rated yet"),
        ("a rating of the wrong type", {"quality_rating": ["GREEN"]}, "quality rating: not rated yet"),
        ("no name", {}, f"Connected: –, {NUMBER}"),
        ("a name with lines and control characters", {"verified_name": "A\nB\x00\x1b[31m"}, "Connected: A B[31m, "),
        ("a name without an end", {"verified_name": "x" * 5000}, f"Connected: {'x' * 100}, "),
    ],
)
def test_what_the_account_says_of_itself_is_shown_on_one_line(
    graph: StandIn, label: str, answer: dict[str, Any], said: str
) -> None:
    graph.script([{"json": {**PROFILE, **answer}}])
    assert said in check().sentence


@pytest.mark.parametrize(
    ("label", "behaviour", "code", "error_code", "advice"),
    [
        ("token refused", graph_error(190, 401), "token_refused", "190", "Generate a permanent one"),
        ("token expired", graph_error(190, error_subcode=463), "token_refused", "190", "has expired"),
        ("no session", graph_error(0, 401), "token_refused", "0", "Generate a permanent one"),
        ("a 401 without words", {"status": 401, "empty": True}, "token_refused", "http_401", "Generate a permanent"),
        ("no such id", graph_error(100, error_subcode=33), "account_unknown", "100", "enter the phone number ID"),
        ("the id of something else", graph_error(100), "account_unknown", "100", "nor the ID of the WhatsApp Business"),
        ("a number that was deleted", graph_error(33), "account_unknown", "33", "enter the phone number ID"),
        ("no permission", graph_error(10, 403), "permission_missing", "10", "whatsapp_business_management"),
        ("no permission, 200", graph_error(200, 403), "permission_missing", "200", "whatsapp_business_management"),
        ("no permission, 299", graph_error(299, 403), "permission_missing", "299", "whatsapp_business_management"),
        ("throttled", graph_error(4), "throttled", "4", "wait some minutes"),
        ("throttled account", graph_error(80007), "throttled", "80007", "wait some minutes"),
        ("a 429 without words", {"status": 429, "raw": "slow"}, "throttled", "http_429", "wait some minutes"),
        ("restricted", graph_error(368, 403), "account_restricted", "368", "WhatsApp Manager"),
        ("trouble at Meta", graph_error(131016, 500), "provider_down", "131016", "wait some minutes"),
        ("a new code with a 503", graph_error(987654, 503), "provider_down", "987654", "wait some minutes"),
        ("a gateway's 502", {"status": 502, "raw": "<html>"}, "provider_down", "http_502", "wait some minutes"),
        ("a new code", graph_error(987654), "refused", "987654", "error 987654"),
        ("an error in a 200", graph_error(190, 200), "token_refused", "190", "Generate a permanent one"),
        ("a page", {"raw": "<html>Welcome</html>"}, "unreadable_answer", "", "WHATSAPP_API_URL"),
        ("nothing", {"empty": True}, "unreadable_answer", "", "WHATSAPP_API_URL"),
        ("a list", {"json": [PROFILE]}, "unreadable_answer", "", "WHATSAPP_API_URL"),
        ("no number", {"json": {"id": PHONE_NUMBER_ID}}, "unreadable_answer", "", "WHATSAPP_API_URL"),
        ("another account", {"json": {**PROFILE, "id": "1"}}, "unreadable_answer", "", "WHATSAPP_API_URL"),
        ("a 404 without words", {"status": 404, "raw": "no"}, "unreadable_answer", "http_404", "WHATSAPP_API_URL"),
    ],
)
def test_each_failure_says_what_to_do(
    graph: StandIn, label: str, behaviour: dict[str, Any], code: str, error_code: str, advice: str
) -> None:
    graph.script([behaviour])
    error = failure()
    assert (error.code, error.error_code) == (code, error_code), label
    assert advice in error.sentence
    assert error.provider_request_id == ("Axyz" if "json" in behaviour and error_code.isdecimal() else "")
    assert len(graph.requests()) == 1


def test_a_connection_that_breaks_off_twice_is_lost(graph: StandIn) -> None:
    graph.script([{"reset": True}, {"reset": True}])  # (aiohttp repeats a GET once)
    error = failure()
    assert (error.code, error.error_code) == ("connection_lost", "connection_lost")
    assert "test again" in error.sentence


def test_a_redirect_is_not_followed(graph: StandIn) -> None:
    elsewhere = f"{graph.url}/v26.0/{PHONE_NUMBER_ID}"
    graph.script([{"status": 302, "headers": {"Location": elsewhere}, "json": {}}])
    assert failure().code == "unreadable_answer"
    assert len(graph.requests()) == 1


@pytest.mark.parametrize("behaviour", [{"hang": True}, {"drip": 0.05}])
def test_an_answer_that_does_not_come_is_not_waited_for(
    graph: StandIn, monkeypatch: pytest.MonkeyPatch, behaviour: dict[str, Any]
) -> None:
    monkeypatch.setattr(api, "READ_TIMEOUT", aiohttp.ClientTimeout(total=0.5, connect=0.4))
    graph.script([behaviour])
    assert failure().code == "timeout"


def test_the_time_that_is_waited_is_bounded() -> None:
    assert api.READ_TIMEOUT.total == 10


def test_a_server_that_is_not_there_cannot_be_reached(settings: Settings) -> None:
    with socket.socket() as taken:  # bound, and nobody listens
        taken.bind(("127.0.0.1", 0))
        settings.WHATSAPP_API_URL = f"http://127.0.0.1:{taken.getsockname()[1]}/v26.0"
        assert failure().code == "unreachable"


def test_an_address_that_is_none_is_said_to_be(settings: Settings) -> None:
    settings.WHATSAPP_API_URL = "http://:1/v26.0"
    assert failure().code == "invalid_url"


@pytest.mark.parametrize(
    ("account_id", "token", "code"),
    [
        (PHONE_NUMBER_ID, "", "access_token_missing"),
        (PHONE_NUMBER_ID, "a\nb", "access_token_missing"),
        (PHONE_NUMBER_ID, "a b", "access_token_missing"),
        ("", TOKEN, "phone_number_id_missing"),
        ("..", TOKEN, "phone_number_id_wrong"),
    ],
)
def test_what_was_not_entered_is_asked_for_before_anybody_is_called(
    graph: StandIn, account_id: str, token: str, code: str
) -> None:
    assert failure(Account("shop", account_id, {**SECRETS, "access_token": token})).code == code
    assert graph.requests() == []


def test_no_repr_shows_a_number_or_a_secret(graph: StandIn) -> None:
    assert "555" not in repr(check())
    graph.script([graph_error(190)])
    assert "canary" not in repr(failure())


# --- the bot ---


@pytest.mark.django_db
def test_a_bot_that_works_has_neither_problems_nor_hints(graph: StandIn) -> None:
    outcome = try_connection(shop(contact="+15550100001"))
    assert outcome.connection is not None
    assert (outcome.problems, outcome.hints) == ((), ())


@pytest.mark.django_db
def test_secrets_that_only_webhooks_need_are_missed_too(graph: StandIn) -> None:
    bot = shop(credentials={"access_token": TOKEN, "verify_token": " "})
    outcome = try_connection(bot)
    assert outcome.connection is not None
    assert [problem.code for problem in outcome.problems] == ["app_secret_missing", "verify_token_missing"]
    assert "“App secret” is missing, and without it no webhook is accepted" in outcome.problems[0].sentence
    assert codes(shop(slug="new", credentials={})) == [
        "access_token_missing", "app_secret_missing", "verify_token_missing",
    ]  # fmt: skip


@pytest.mark.django_db
def test_secrets_of_another_key_are_said_to_be_that(graph: StandIn, settings: Settings) -> None:
    bot = shop()
    settings.SECRET_KEY = "another key"
    bot = Bot.objects.get(pk=bot.pk)
    assert codes(bot) == ["credentials_unreadable"]
    assert graph.requests() == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("contact", "hinted"), [("+15550100001", False), ("", False), ("+4930123456", True), ("no number", False)]
)
def test_a_contact_that_is_another_number_is_a_hint(graph: StandIn, contact: str, hinted: bool) -> None:
    outcome = try_connection(shop(contact=contact))
    assert outcome.problems == ()
    assert [("+4930123456" in hint, "+15550100001" in hint) for hint in outcome.hints] == [(True, True)] * hinted


@pytest.mark.django_db
def test_what_is_said_is_in_the_language_of_who_asks(monkeypatch: pytest.MonkeyPatch, graph: StandIn) -> None:
    sentence = lazy(lambda: f"{get_language()}: no", str)()
    monkeypatch.setitem(SENTENCES, "token_refused", sentence)
    graph.script([graph_error(190), graph_error(190)])
    bot = shop()
    for language in ("de", "es"):
        with override(language):
            assert try_connection(bot).problems[0].sentence.startswith(f"{language}: ")


@pytest.mark.django_db
def test_a_bot_that_is_off_or_paused_is_told_so(graph: StandIn) -> None:
    off, paused = try_connection(shop(is_active=False, paused_at=timezone.now())).hints[::-1]
    assert "webhook URL does not exist" in off
    assert "paused" in paused


@pytest.mark.django_db
def test_a_name_server_that_hangs_is_not_waited_for(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.WHATSAPP_API_URL = "http://graph.invalid/v26.0"
    monkeypatch.setattr(api, "READ_TIMEOUT", aiohttp.ClientTimeout(total=0.5, connect=0.3))
    answered = threading.Event()

    def look_up(*args: Any, **kwargs: Any) -> Any:
        answered.wait(20)
        answered.set()
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    try:
        assert codes(shop()) == ["unreachable"]
        assert not answered.is_set(), "the test waited for the name server"
    finally:
        answered.set()


@pytest.mark.django_db
def test_the_log_tells_what_came_of_it_and_nothing_more(graph: StandIn, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    bot = shop(contact="+4930123456")
    try_connection(bot)
    graph.script([graph_error(190)])
    try_connection(bot)

    told = [record for record in caplog.records if record.msg == "connection_tested"]
    fields = ("levelname", "bot", "outcome", "error_code", "provider_request_id")
    assert [tuple(vars(record)[name] for name in fields) for record in told] == [
        ("INFO", "shop", "connected", "", ""),
        ("WARNING", "shop", "token_refused", "190", "Axyz"),
    ]
    # (Times and ids of threads are numbers that may have any digits.)
    clocks = {"created", "msecs", "relativeCreated", "thread", "process"}
    said = [{name: value for name, value in vars(record).items() if name not in clocks} for record in caplog.records]
    everything = str(said)
    assert not any(word in everything for word in ("canary", "555", "4930123456", "Stand-in"))


# --- the admin ---


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


# --- the command ---


@pytest.mark.django_db
def test_the_command_prints_the_same(graph: StandIn) -> None:
    shop(contact="+4930123456")
    out = StringIO()
    call_command("test_bot", "shop", stdout=out)
    connected, hint = out.getvalue().splitlines()
    assert connected == CONNECTED
    assert "+4930123456" in hint


@pytest.mark.django_db
def test_the_command_fails_with_every_sentence(graph: StandIn) -> None:
    shop(credentials={**SECRETS, "app_secret": ""})
    graph.script([graph_error(10, 403)])
    with pytest.raises(CommandError) as failed:
        call_command("test_bot", "shop")
    first, second = str(failed.value).splitlines()
    assert (first.startswith("The access token lacks a permission"), "App secret" in second) == (True, True)
    assert failed.value.returncode == 1
    assert "canary" not in str(failed.value)


@pytest.mark.django_db
def test_the_command_fails_too_when_only_webhooks_would_be_refused(graph: StandIn) -> None:
    shop(credentials={**SECRETS, "verify_token": ""})
    out = StringIO()
    with pytest.raises(CommandError, match="Verify token"):
        call_command("test_bot", "shop", stdout=out)
    assert out.getvalue().strip() == CONNECTED


@pytest.mark.django_db
def test_the_command_knows_the_bots_there_are(graph: StandIn) -> None:
    shop()
    with pytest.raises(CommandError, match=r"No bot is called 'shp'\. There are: shop"):
        call_command("test_bot", "shp")


def test_every_channel_can_be_tested_and_says_something() -> None:
    async def ask() -> Connection:
        async with aiohttp.ClientSession() as client:
            return await CHANNELS["console"].check(client, Account("demo"))

    assert asyncio.run(ask()).sentence
