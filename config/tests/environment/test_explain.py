"""What a problem says of the value it found: enough to see the mistake, and nothing of what is or may be a secret."""

import pytest

from config.environment.casts import database_location, database_url, url_location
from config.environment.explain import shown


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("", "an empty value"),
        ("  ", "nothing but white space"),
        ("x", "1 character"),
        ("canary", "6 characters"),
        ("pk-canary", "9 characters that start with pk-"),
        ("Bearer sk-canary", "16 characters that start with Bearer, with white space inside"),
        ("django-insecure-canary", "22 characters that start with django-insecure-"),
        ('"sk-canary"', "11 characters that start with sk-, in quotes"),
        ("aaaaaaaaaaaa", "12 characters, only 1 different"),
        ("mysql://canary:canary@canary/canary", "a mysql:// URL of 35 characters"),
        ("canary://canary", "15 characters"),
    ],
)
def test_a_secret_is_described_and_not_shown(raw, said):
    assert shown(raw, secret=True) == said


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("80a", "'80a'"),
        (" https://parley.example.org/path ", "'https://parley.example.org/path'"),
        ("redis://cache:6379", "'redis://cache:6379'"),
        ("x" * 100, f"'{'x' * 60}'"),
        ("+49 171 1234567", "'[phone]'"),
    ],
)
def test_what_is_no_secret_is_quoted(raw, said):
    assert shown(raw, secret=False) == said


@pytest.mark.parametrize(
    "raw",
    [
        "canary0123456789abcdefgh",
        "https://user:can/ary@host/",
        "https://user:canary@host/",
        "sk-canary",
        "EAAcanary0123456",
    ],
)
def test_a_secret_in_a_variable_for_something_else_is_not_shown_either(raw):
    assert "can" not in shown(raw, secret=False)


@pytest.mark.parametrize(
    ("url", "location"),
    [
        ("postgres://user:canary@db:5432/parley", "postgres://[credentials]@db:5432/parley"),
        ("postgres://user:can%2Fary@db/parley?sslmode=require&password=canary", "postgres://[credentials]@db/parley"),
        ("postgres://db/parley", "postgres://db/parley"),
        ("sqlite:////srv/db.sqlite3", "sqlite:////srv/db.sqlite3"),
    ],
)
def test_a_database_is_shown_by_its_address(url, location):
    assert database_location(database_url(url)) == location


@pytest.mark.parametrize(
    ("url", "location"),
    [
        ("redis://:canary@cache:6379/0?password=canary", "redis://[credentials]@cache:6379/0"),
        ("rediss://cache/1", "rediss://cache/1"),
    ],
)
def test_redis_is_shown_by_its_address(url, location):
    assert url_location(url) == location
