"""manage.py unlock_login: let somebody in at once who failed too often."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from users.login import throttle
from users.models import User
from users.tests.login.failing import said

pytestmark = [pytest.mark.database, pytest.mark.django_db]

LOGIN = reverse("admin:login")
OWNER, NOBODY = "+491711234567", "+491719999999"
RIGHT, WRONG = "correct horse", "wrong horse"
ACCOUNT_LIMIT, CLIENT_LIMIT = 5, 20
Login = Callable[..., HttpResponse]


@pytest.fixture(autouse=True)
def fresh_counter(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[None]:
    """Count anew, in Redis too, whose counts would outlive a run of the tests."""
    monkeypatch.setattr(throttle, "_counter", None)
    # The hashes' key: nobody else has counted under them.
    settings.SECRET_KEY = f"a key of this test only {id(object())} {connection.settings_dict['NAME']}"
    yield
    if settings.REDIS_URL:
        throttle.counter()._shared.storage.reset()  # type: ignore[union-attr]


@pytest.fixture
def owner() -> User:
    return User.objects.create_superuser(OWNER, RIGHT, is_whitelisted=True)


@pytest.fixture
def login(client: Client) -> Login:
    """Sign in with the login page and return what it answers."""

    def login(number: str = OWNER, password: str = WRONG, address: str = "203.0.113.7", **extra: str) -> HttpResponse:
        fields = {"username": number, "password": password}
        return client.post(LOGIN, fields, REMOTE_ADDR=address, **extra)  # type: ignore[return-value, arg-type]

    return login


def test_an_operator_lets_somebody_in_again(owner: User, login: Login, settings: Any) -> None:
    if not settings.REDIS_URL:
        pytest.skip("REDIS_URL is not set")
    for _ in range(ACCOUNT_LIMIT + 1):
        login()
    call_command("unlock_login", "0049 171 1234567")
    assert said(login(password=RIGHT)) == ""


def test_the_command_says_what_it_cannot_do(settings: Any) -> None:
    settings.REDIS_URL = None
    with pytest.raises(CommandError, match="restart it, or wait 15 minutes"):
        call_command("unlock_login", OWNER)
    with pytest.raises(CommandError, match="has no letters"):
        call_command("unlock_login", "me")
