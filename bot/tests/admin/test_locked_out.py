"""Who may not sign in for a while because of failed attempts is a person like any other in chat."""

from collections.abc import Callable

import pytest
from django.test import Client

from bot.tests.support.factories import ALICE
from users.login import throttle
from users.models import User
from users.roles import Role

pytestmark = pytest.mark.promise("sign-ins")


def test_who_is_locked_out_of_the_admin_is_answered_in_chat(
    client: Client, ask: Callable[..., str], alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "_counter", None)
    User.objects.update_role(alice, Role.OWNER)
    alice.set_password("correct horse")
    alice.save()
    for password in ("wrong", "wrong", "wrong", "wrong", "wrong", "correct horse"):
        page = client.post("/admin/login/", {"username": ALICE, "password": password})
    assert "Too many failed attempts" in page.content.decode()

    assert ask("Hello") == "Echo: Hello"
    assert "/spend" in ask("/help")
