"""The pages of the bots: adding one for each channel, how each stands, and deleting one."""

import re
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from bot.admin.bots import deletion
from bot.channels.registry import CHANNELS
from bot.models import Bot, InboundMessage, OutboundMessage
from bot.tests.support.factories import BotFactory, InboundFactory, WhatsAppBotFactory
from users.models import User
from users.roles import Role
from users.tests.factories import alice, bob

pytestmark = pytest.mark.django_db

ADD = reverse("admin:bot_bot_add")
LIST = reverse("admin:bot_bot_changelist")
SECRETS = {"credential_access_token": "EAA-canary-token", "credential_app_secret": "canary-app-secret"}
WHATSAPP = {
    "name": "Bike shop", "slug": "bike-shop", "channel": "whatsapp", "account_id": "106540352242922",
    "credential_verify_token": "canary-verify-token", "system_prompt": "You help customers of a bike shop.", **SECRETS,
}  # fmt: skip


@pytest.fixture
def owner(client: Client) -> User:
    user = alice()
    client.force_login(user)
    return user


@pytest.fixture
def admin() -> Client:
    client = Client()
    client.force_login(bob(role=Role.ADMIN))
    return client


def change(bot: Bot, **query: str) -> str:
    return reverse("admin:bot_bot_change", args=(bot.pk,), query=query)


def fields_of(page: str) -> set[str]:
    """Return the names of the fields of a page's form that are filled in by a person."""
    names = set(re.findall(r'<(?:input|select|textarea)[^>]*?\sname="([a-z_]+)"', page))
    return {
        name
        for name in names
        if not name.startswith("_") and name not in {"csrfmiddlewaretoken", "next", "language", "s"}
    }


# --- adding ---


def test_the_channel_is_asked_first(client: Client, owner: User) -> None:
    page = client.get(ADD).content.decode()
    for channel in CHANNELS.values():
        assert f'href="?channel={channel.slug}"' in page
        assert str(channel.label) in page
        assert channel.about, "it says what it is"
    assert 'name="slug"' not in page


@pytest.mark.parametrize("channel", CHANNELS.values(), ids=CHANNELS)
def test_a_new_bot_is_asked_for_exactly_what_its_channel_needs(client: Client, owner: User, channel: Any) -> None:
    page = client.get(ADD, {"channel": channel.slug}).content.decode()
    account = {f"credential_{one.name}" for one in channel.credentials}
    assert fields_of(page) == {"name", "slug", "channel", "system_prompt", *account} | (
        {"account_id", "contact"} if account else set()
    )
    for credential in channel.credentials:
        assert credential.help, "it says where the value is found"
    assert not channel.credentials or (channel.account_label and channel.account_help and channel.setup_steps)


def test_a_verify_token_is_suggested_another_one_each_time(client: Client, owner: User) -> None:
    found = [
        re.findall(
            r'name="credential_verify_token" value="([\w-]{20,})"',
            client.get(f"{ADD}?channel=whatsapp").content.decode(),
        )
        for _ in range(2)
    ]
    assert len(found[0]) == len(found[1]) == 1
    assert found[0] != found[1]


def test_a_whatsapp_bot_is_made_in_one_go_and_told_what_comes_next(client: Client, owner: User) -> None:
    response = client.post(f"{ADD}?channel=whatsapp", WHATSAPP)
    bot, page = Bot.objects.get(), response.content.decode()
    assert bot.credentials == {
        "access_token": "EAA-canary-token", "app_secret": "canary-app-secret", "verify_token": "canary-verify-token",
    }  # fmt: skip
    assert (bot.account_id, bot.system_prompt, bot.is_active) == ("106540352242922", WHATSAPP["system_prompt"], True)
    assert "/webhooks/whatsapp/bike-shop/" in page
    assert 'data-copy="canary-verify-token"' in page
    assert reverse("admin:bot_bot_test", args=(bot.pk,)) in page
    assert "no-store" in response["Cache-Control"]
    assert not any(secret in page for secret in SECRETS.values())
    # From now on nobody is shown it.
    for url in (change(bot), LIST):
        shown = client.get(url).content.decode()
        assert "canary" not in shown


def test_what_is_missing_is_named(client: Client, owner: User) -> None:
    page = client.post(ADD, {**WHATSAPP, "credential_app_secret": "", "account_id": ""}).content.decode()
    assert "Phone number ID, App secret" in page
    assert "not connected" in client.get(LIST).content.decode()


def test_a_form_with_errors_shows_no_secret_and_says_that_they_have_to_be_entered_again(
    client: Client, owner: User
) -> None:
    BotFactory.create(slug="bike-shop")
    page = client.post(ADD, {**WHATSAPP, "account_id": "49 171 1234567 (no)"}).content.decode()
    assert "Bot with this Slug already exists." in page
    assert "Letters, digits and . + - _ only." in page
    assert not any(secret in page for secret in SECRETS.values())
    assert page.count("enter it again") == len(SECRETS)
    assert Bot.objects.count() == 1


@pytest.mark.parametrize("account_id", ["..", ".", "+491711234567", "106540352242922.", "me", "1٢3", "9" * 33])
def test_a_phone_number_id_has_digits_only(client: Client, owner: User, account_id: str) -> None:
    page = client.post(ADD, {**WHATSAPP, "account_id": account_id}).content.decode()
    assert "A phone number ID has digits only" in page
    bot = Bot(name="Shop", slug="shop", channel="whatsapp", account_id=account_id)
    with pytest.raises(ValidationError, match="digits only"):
        bot.full_clean()
    assert not Bot.objects.exists()


@pytest.mark.parametrize("account_id", ["..", "."])
def test_no_channel_has_an_account_that_is_a_step_in_a_path(account_id: str) -> None:
    with pytest.raises(ValidationError, match="no account id"):
        Bot(name="Try", slug="try", channel="console", account_id=account_id).clean()


@pytest.mark.parametrize(
    "pasted", ["EAAcanary # of May", "EAA canary", "EAA\ncanary", "EAA\u00a0canary", '"EAAcanary"']
)
@pytest.mark.parametrize("field", ["access_token", "app_secret", "verify_token"])
def test_a_secret_that_was_pasted_with_something_else_is_refused(
    client: Client, owner: User, field: str, pasted: str
) -> None:
    page = client.post(ADD, {**WHATSAPP, f"credential_{field}": pasted}).content.decode()
    assert "paste the value alone" in page
    assert not Bot.objects.exists()


def test_white_space_around_secrets_and_the_id_is_dropped(client: Client, owner: User) -> None:
    pasted = {name: f" \t{value}\n" for name, value in WHATSAPP.items() if name.startswith(("credential", "account"))}
    assert client.post(ADD, {**WHATSAPP, **pasted}).status_code == 200
    bot = Bot.objects.get()
    assert bot.account_id == WHATSAPP["account_id"]
    assert bot.credentials == {name: WHATSAPP[f"credential_{name}"] for name in bot.credentials}
    assert len(bot.credentials) == 3


def test_a_console_bot_goes_on_to_its_page(client: Client, owner: User) -> None:
    response = client.post(ADD, {"name": "Try", "slug": "try", "channel": "console", "system_prompt": "Be kind."})
    assert response["Location"] == change(Bot.objects.get())


@pytest.mark.parametrize("channel", ["", "pigeon"])
def test_an_unknown_channel_makes_no_bot(client: Client, owner: User, channel: str) -> None:
    assert 'name="slug"' not in client.get(ADD, {"channel": channel}).content.decode()
    assert client.post(ADD, {"name": "Try", "slug": "try", "channel": channel}).status_code == 200
    assert not Bot.objects.exists()


# --- the page of a bot ---


def test_budgets_are_entered_in_dollars(client: Client, owner: User, admin: Client) -> None:
    bot = BotFactory.create(daily_budget_micros=500_000)
    assert 'name="daily_budget_micros" value="0.50"' in client.get(change(bot)).content.decode()
    form = {
        "name": bot.name, "slug": bot.slug, "is_active": "on", "system_prompt": "", "burst_wait_seconds": "0",
        "daily_budget_micros": "1.25", "user_daily_budget_micros": "",
    }  # fmt: skip
    assert client.post(change(bot), form).status_code == 302
    bot.refresh_from_db()
    assert (bot.daily_budget_micros, bot.user_daily_budget_micros) == (1_250_000, None)
    assert "$1.25" in admin.get(change(bot)).content.decode()
    assert (
        "Ensure that there are no more than"
        in client.post(change(bot), {**form, "daily_budget_micros": "0.0000001"}).content.decode()
    )


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({}, ["active"]),
        ({"is_active": False}, ["off", "its webhook URL does not exist"]),
        (
            {"paused_at": "2026-01-01T00:00Z", "pause_reason": "Stocktaking"},
            ["paused", "Stocktaking", "are taken in and wait"],
        ),
        (
            {"paused_at": "2026-01-01T00:00Z", "pause_reason": "CHANNEL_ERROR:190"},
            ["paused", "the provider refuses it: the access token is refused, 190 (CHANNEL_ERROR:190)"],
        ),
        ({"credentials": {}}, ["not connected", "missing: Access token, App secret, Verify token"]),
    ],
)  # fmt: skip
def test_the_page_says_how_the_bot_stands(client: Client, owner: User, fields: dict[str, Any], says: list[str]) -> None:
    page = client.get(change(WhatsAppBotFactory.create(**fields))).content.decode()
    for words in says:
        assert words in page


# --- the list ---


def test_the_list_says_what_waits_and_leads_to_it(client: Client, owner: User) -> None:
    bot, other = BotFactory.create(slug="shop"), WhatsAppBotFactory.create(slug="wa")
    InboundFactory.create_batch(3, bot=bot)
    InboundFactory.create(bot=other, state="done")
    page = client.get(LIST).content.decode()
    assert "3 waiting" in page
    assert page.count(" waiting</a>") == 1
    assert f"?bot__id__exact={bot.pk}&amp;state__exact=pending" in page
    assert f"?bot__id__exact={other.pk}" in page
    assert "/?bot=shop" in page
    assert "/webhooks/whatsapp/wa/" in page


def test_the_list_needs_as_many_queries_for_many_bots_as_for_one(
    client: Client, owner: User, django_assert_num_queries: Any
) -> None:
    WhatsAppBotFactory.create()
    # session, person, bots (two counts: what fits the filters, and the page), messages that wait
    for more in (0, 12):
        for bot in WhatsAppBotFactory.create_batch(more, credentials={}):
            InboundFactory.create_batch(2, bot=bot)
        with django_assert_num_queries(5):
            client.get(LIST)


# --- deleting ---


def delete(client: Client, bot: Bot, **data: str) -> str:
    return client.post(reverse("admin:bot_bot_delete", args=(bot.pk,)), data, follow=True).content.decode()


def test_a_deletion_says_in_numbers_what_goes_and_takes_nothing_else(client: Client, owner: User) -> None:
    bot, other = BotFactory.create(), BotFactory.create()
    for one in (bot, other):
        InboundFactory.create_batch(3, bot=one, state="done")
        OutboundMessage.objects.create(bot=one, address="+4915112345678", turn_key=one.pk, part=1, text="Hello")
    page = client.get(reverse("admin:bot_bot_delete", args=(bot.pk,))).content.decode()
    assert "3 messages of the last days" in page
    delete(client, bot, post="yes")
    assert [*Bot.objects.all()] == [other]
    assert set(InboundMessage.objects.values_list("bot", flat=True)) == {other.pk}
    assert set(OutboundMessage.objects.values_list("bot", flat=True)) == {other.pk}


def test_a_bot_for_which_messages_wait_is_not_deleted(client: Client, owner: User) -> None:
    bot = InboundFactory.create().bot
    assert "1 message waits for an answer" in delete(client, bot, post="yes")
    assert Bot.objects.exists()


def test_a_bot_with_very_many_messages_is_left_to_the_purge(
    client: Client, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deletion, "MOST_DELETED", 2)
    bot = BotFactory.create()
    InboundFactory.create_batch(3, bot=bot, state="done")
    assert "more than 2 messages" in delete(client, bot, post="yes")
    assert Bot.objects.exists()


def test_bots_are_not_deleted_several_at_once(client: Client, owner: User) -> None:
    bot = BotFactory.create()
    client.post(LIST, {"action": "delete_selected", "_selected_action": [bot.pk], "post": "yes"})
    assert Bot.objects.exists()


# --- who may ---


def test_an_admin_reads_and_neither_adds_nor_deletes_nor_tries(admin: Client) -> None:
    bot = BotFactory.create()
    page = admin.get(change(bot)).content.decode()
    assert "Try this prompt" not in page and "Test connection" not in page and "_save" not in page
    assert admin.get(ADD).status_code == admin.get(f"{ADD}?channel=whatsapp").status_code == 403
    for name in ("delete", "try", "use", "test"):
        assert admin.post(reverse(f"admin:bot_bot_{name}", args=(bot.pk,)), {"post": "yes"}).status_code == 403
    assert Bot.objects.count() == 1


@pytest.mark.parametrize("name", ["try", "use", "delete"])
def test_what_changes_something_needs_a_post_with_its_token(name: str) -> None:
    bot = BotFactory.create()
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice())
    url = reverse(f"admin:bot_bot_{name}", args=(bot.pk,))
    assert client.post(url, {"post": "yes", "system_prompt": "x"}).status_code == 403
    assert name == "delete" or client.get(url).status_code == 405
    assert Bot.objects.count() == 1
