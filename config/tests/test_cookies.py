"""Cookies of production: a browser takes them from this host alone."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client
from django.utils import translation

from config.tests.bare import bare_environment
from config.tests.environment.values import PRODUCTION
from users.tests.factories import alice

BASE = Path(__file__).resolve().parents[2]
NAMES = ("SESSION_COOKIE", "CSRF_COOKIE", "LANGUAGE_COOKIE")
SHOW = """
from config import settings
from django.conf import global_settings
for name in {names}:
    print(*(getattr(settings, f"{{name}}_{{part}}", getattr(global_settings, f"{{name}}_{{part}}"))
            for part in ("NAME", "SECURE", "PATH", "DOMAIN")))
print(getattr(settings, "MESSAGE_STORAGE", ""))
"""


def cookies(**environment: str) -> list[str]:
    """Return name, Secure, path and domain of each cookie as the settings of an environment have them."""
    own = bare_environment(PYTHONPATH=str(BASE), **environment)
    command = [sys.executable, "-c", SHOW.format(names=NAMES)]
    ended = subprocess.run(command, cwd=BASE, env=own, capture_output=True, text=True, timeout=60, check=True)
    return ended.stdout.splitlines()


@pytest.mark.processes
def test_production_prefixes_its_cookies_and_development_on_http_does_not() -> None:
    assert cookies(**PRODUCTION) == [
        "__Host-sessionid True / None",
        "__Host-csrftoken True / None",
        "__Host-django_language True / None",
        "config.desk.message_storage.HostStorage",
    ]
    assert cookies(ENVIRONMENT="development", LLM_PROVIDER="demo") == [
        "sessionid False / None",
        "csrftoken False / None",
        "django_language False / None",
        "django.contrib.messages.storage.cookie.CookieStorage",
    ]


@pytest.mark.django_db
def test_every_cookie_of_production_is_one_that_its_prefix_allows(settings) -> None:
    settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
    settings.LANGUAGE_COOKIE_NAME, settings.MESSAGE_STORAGE = (
        "__Host-django_language",
        "config.desk.message_storage.HostStorage",
    )
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = settings.LANGUAGE_COOKIE_SECURE = True
    owner = alice()
    owner.set_password("a-long-password-1")
    owner.save()
    client = Client(enforce_csrf_checks=True)
    login = "/admin/login/"
    client.get(login, secure=True)

    def post(url: str, **form: str) -> int:
        form["csrfmiddlewaretoken"] = client.cookies["__Host-csrftoken"].value
        headers = {"Referer": f"https://testserver{login}"}
        return client.post(url, form, secure=True, headers=headers).status_code

    assert post(login, username=owner.phone_number or "", password="a-long-password-1", next="/admin/") == 302
    with translation.override("en"):  # (and whatever a page was shown in is over with it)
        assert post("/language/setlang/", language="de", next="/admin/") == 302
        assert post("/admin/users/user/", action="nothing", index="0") in (200, 302), "says that nothing was chosen"
    assert {name for name in client.cookies if not name.startswith("__Host-")} == set()
    assert len(client.cookies) >= 3
    for cookie in client.cookies.values():
        assert (cookie["secure"], cookie["path"], cookie["domain"]) == (True, "/", ""), cookie.key
