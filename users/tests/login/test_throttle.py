"""Guessing a password is slow, through the real login page, and nobody is told more than that."""

import json
import logging
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import aauthenticate, authenticate
from django.db import OperationalError, connection
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse

from config.logs.lines import JsonLines
from config.logs.redaction import redact_mapping
from users.login import throttle
from users.login.throttle import LoginThrottled, account_key, client_key
from users.models import User
from users.tests.login.failing import said
from users.tests.together import together

pytestmark = [pytest.mark.database, pytest.mark.django_db, pytest.mark.promise("sign-ins")]

LOGIN = reverse("admin:login")
OWNER, NOBODY = "+491711234567", "+491719999999"
RIGHT, WRONG = "correct horse", "wrong horse"
SENTENCE = "Too many failed attempts to sign in. Please wait 15 minutes and try again."
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


def test_after_five_failures_the_right_password_is_not_looked_at_either(owner: User, login: Login) -> None:
    answers = [said(login()) for _ in range(ACCOUNT_LIMIT)]
    assert all("Please enter the correct" in answer for answer in answers)

    assert said(login(password=RIGHT)) == SENTENCE
    assert said(login(password=RIGHT, address="198.51.100.1")) == SENTENCE, "from elsewhere neither"


def test_a_number_that_nobody_has_is_treated_the_same(owner: User, login: Login) -> None:
    known = [said(login(OWNER, address="203.0.113.1")) for _ in range(7)]
    unknown = [said(login(NOBODY, address="203.0.113.2")) for _ in range(7)]

    assert known == unknown
    assert known[-2:] == [SENTENCE, SENTENCE]


def test_nothing_is_hashed_or_looked_up_for_who_is_refused(
    owner: User, login: Login, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    for _ in range(ACCOUNT_LIMIT):
        login(OWNER), login(NOBODY)

    def fails(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError("a password was hashed")

    monkeypatch.setattr(User, "check_password", fails)
    monkeypatch.setattr(User, "set_password", fails)
    with django_assert_num_queries(0):
        assert said(login(OWNER)) == said(login(NOBODY)) == SENTENCE


def test_a_success_begins_anew(owner: User, login: Login) -> None:
    for _ in range(3):
        for _ in range(ACCOUNT_LIMIT - 1):
            login()
        assert said(login(password=RIGHT)) == ""


def test_another_account_is_not_concerned(owner: User, login: Login) -> None:
    for _ in range(ACCOUNT_LIMIT + 1):
        login(NOBODY)
    assert said(login(password=RIGHT)) == ""


@pytest.mark.parametrize("spelling", ["+49 171 1234567", "0049 (0)171-1234567", "491711234567", "tel:+491711234567"])
def test_another_spelling_is_the_same_account(owner: User, login: Login, spelling: str) -> None:
    for _ in range(ACCOUNT_LIMIT):
        login(spelling)
    assert said(login(password=RIGHT)) == SENTENCE


def test_equivalent_numbers_and_odd_texts_have_one_hash() -> None:
    assert account_key("+5511987654321") == account_key("+551187654321")
    assert account_key("Admin ") == account_key("admin") != account_key("root")


def test_one_address_may_not_try_many_accounts(owner: User, login: Login) -> None:
    for number in range(CLIENT_LIMIT):
        login(f"+4917100000{number:02}")

    assert said(login("+491710000099")) == SENTENCE
    assert said(login(password=RIGHT)) == SENTENCE
    assert said(login(password=RIGHT, address="198.51.100.1")) == ""


def test_an_office_that_signs_in_is_no_attack(owner: User, login: Login) -> None:
    assert [said(login(password=RIGHT)) for _ in range(CLIENT_LIMIT * 2)] == [""] * CLIENT_LIMIT * 2


def test_after_the_window_one_may_try_again(owner: User, login: Login, settings: Any, time_machine: Any) -> None:
    settings.REDIS_URL = None  # whose clock cannot be moved
    settings.SESSION_COOKIE_AGE = 10**9
    time_machine.move_to("2026-11-25 12:00:00Z", tick=False)
    for _ in range(ACCOUNT_LIMIT + 3):
        login()
    time_machine.shift(15 * 60 - 1)
    assert said(login(password=RIGHT)) == SENTENCE
    time_machine.shift(2)
    assert said(login(password=RIGHT)) == ""


@pytest.mark.django_db(transaction=True)
def test_attempts_at_the_same_moment_do_not_get_past_the_limit() -> None:
    def attempt(number: int) -> Callable[[], bool]:
        def was_refused() -> bool:
            guess = {"username": NOBODY, "password": f"guess {number}"}
            # (Not the answer's context: the test client mixes up those of several threads.)
            return SENTENCE in Client().post(LOGIN, guess, REMOTE_ADDR=f"203.0.113.{number}").content.decode()

        return was_refused

    assert sorted(together(*[attempt(number) for number in range(16)])) == [False] * ACCOUNT_LIMIT + [True] * 11


def test_who_is_signed_in_already_stays_so(owner: User, client: Client, login: Login) -> None:
    other = Client()
    other.force_login(owner)
    for _ in range(ACCOUNT_LIMIT + 1):
        login()
    assert other.get(reverse("admin:index")).status_code == 200


def test_the_log_has_hashes_only(owner: User, login: Login, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(ACCOUNT_LIMIT + 1):
        login()
    lines = [
        json.loads(JsonLines().format(record)) for record in caplog.records if record.name == "users.login.backends"
    ]
    assert [line["event"] for line in lines] == ["login_failed"] * ACCOUNT_LIMIT + ["login_throttled"]
    assert {(line["account"], line["client"]) for line in lines} == {(account_key(OWNER), lines[0]["client"])}
    everything = json.dumps(lines)
    assert OWNER[1:] not in everything and "203.0.113.7" not in everything and WRONG not in everything
    assert redact_mapping(lines[0])["account"] == account_key(OWNER), "an operator can compare them"


def test_a_database_that_is_away_is_nobodys_failure(owner: User, client: Client, login: Login) -> None:
    def away(*args: Any) -> Any:
        raise OperationalError("no server")

    client.raise_request_exception = False
    for _ in range(ACCOUNT_LIMIT + 1):
        with connection.execute_wrapper(away):
            assert login(password=RIGHT).status_code == 503
    assert said(login(password=RIGHT)) == ""


def test_every_way_to_sign_in_is_counted(owner: User) -> None:
    for _ in range(ACCOUNT_LIMIT):
        assert authenticate(None, username=OWNER, password=WRONG) is None
    with pytest.raises(LoginThrottled):
        authenticate(None, phone_number=OWNER, password=RIGHT)


def test_the_asynchronous_way_is_no_way_around(owner: User) -> None:
    way = async_to_sync(aauthenticate)
    for _ in range(ACCOUNT_LIMIT):
        assert way(None, username=OWNER, password=WRONG) is None
    with pytest.raises(LoginThrottled):
        way(None, username=OWNER, password=RIGHT)


@pytest.mark.parametrize("language", ["de", "es"])
def test_the_sentence_is_in_the_readers_language(login: Login, language: str) -> None:
    for _ in range(ACCOUNT_LIMIT):
        login()
    answer = said(login(HTTP_ACCEPT_LANGUAGE=language))
    assert answer.startswith({"de": "Zu viele fehlgeschlagene Anmeldeversuche.", "es": "Demasiados intentos"}[language])


# --- where somebody comes from ---


@pytest.mark.parametrize(
    "spelling", ["203.0.113.6:{port}", "[2001:db8::5]:{port}", "[2001:db8:0:0:{port:x}::1]", "nonsense {port}"]
)
def test_a_port_makes_nobody_somebody_else(owner: User, login: Login, settings: Any, spelling: str) -> None:
    settings.BEHIND_PROXY = True
    for number in range(CLIENT_LIMIT):
        header = spelling.format(port=40_000 + number) if "x}" not in spelling else spelling.format(port=7)
        login(f"+4917100000{number:02}", HTTP_X_FORWARDED_FOR=header)
    header = spelling.format(port=7)
    assert said(login("+491710000099", HTTP_X_FORWARDED_FOR=header)) == SENTENCE


def test_who_has_a_network_of_addresses_has_one_name() -> None:
    def key(address: str) -> str:
        return client_key(RequestFactory().post(LOGIN, REMOTE_ADDR=address))

    assert key("2001:db8:1:2::1") == key("2001:db8:1:2:ffff::9") != key("2001:db8:1:3::1")
    assert key("::ffff:203.0.113.7") == key("203.0.113.7") != key("203.0.113.8")
    assert key("unix socket") and not key("")


def test_a_forged_header_does_not_lock_out_somebody_else(owner: User, login: Login, settings: Any) -> None:
    settings.BEHIND_PROXY = True
    for number in range(CLIENT_LIMIT + 5):
        login(f"+4917100000{number:02}", HTTP_X_FORWARDED_FOR=f"1.1.1.{number}, 203.0.113.9")
    assert said(login("+491710000099", HTTP_X_FORWARDED_FOR="1.2.3.4, 203.0.113.9")) == SENTENCE
    assert said(login(password=RIGHT, HTTP_X_FORWARDED_FOR="203.0.113.10")) == ""


# --- the shared counter ---


def test_processes_count_together_in_redis(owner: User, login: Login, settings: Any) -> None:
    if not settings.REDIS_URL:
        pytest.skip("REDIS_URL is not set")
    for _ in range(ACCOUNT_LIMIT):
        throttle._counter = None  # another process
        login()
    throttle._counter = None
    assert said(login(password=RIGHT)) == SENTENCE


def test_a_redis_that_is_away_locks_nobody_out_and_lets_no_guesses_through(
    owner: User, login: Login, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"  # nobody listens there

    User.objects.create_superuser(NOBODY, RIGHT)

    for _ in range(ACCOUNT_LIMIT):  # the first of them finds out that Redis is away, and counts as well
        login()
    assert said(login(password=RIGHT)) == SENTENCE
    assert said(login(NOBODY, password=RIGHT)) == ""
    lost = [record for record in caplog.records if record.message == "rate_limit_store_lost"]
    assert [(record.levelno, record.counts) for record in lost] == [(logging.ERROR, "logins")]  # type: ignore[attr-defined]
    settings.REDIS_URL = None


def test_a_redis_that_hangs_costs_one_time_out(owner: User, login: Login, settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.REDIS_URL = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        answers = [said(login()) for _ in range(ACCOUNT_LIMIT + 1)]
        silent.settimeout(0)
        accepted = 0
        while True:
            try:
                silent.accept()[0].close()
                accepted += 1
            except BlockingIOError:
                break
    assert answers[-1] == SENTENCE
    assert accepted == 1
    settings.REDIS_URL = None
