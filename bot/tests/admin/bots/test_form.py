"""The form of a bot: what is asked for, what is refused, and that no secret is shown again."""

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from bot.models import Bot
from bot.tests.admin.bots.entering import change
from bot.tests.support.factories import BotFactory
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
