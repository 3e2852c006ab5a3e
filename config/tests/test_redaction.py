"""What is masked in log lines and error reports, and what stays readable."""

import time

import pytest

from config.redaction import MASK, phone_hash, redact, redact_mapping, redact_value

TELEGRAM_TOKEN = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("to +4917012345678 now", "to [phone] now"),
        ("+1 (202) 555-0100", "[phone]"),
        ("+49 170 / 1234567", "[phone]"),
        ("whatsapp:+12025550100", "whatsapp:[phone]"),
        ("/Messages?To=%2B12025550100&x=1", "/Messages?To=[phone]&x=1"),
        ("+1234", "[phone]"),
        ("BSUID US.13491208655302741918 unknown", "BSUID [bsuid] unknown"),
        ("write to alice.b+c@mail.example.org!", "write to [email]!"),
        ("Incorrect API key provided: sk-proj-ab_cD-12.", "Incorrect API key provided: [key]."),
        ("provided: sk-abc***wxyz", "provided: [key]"),
        ("Authorization: Bearer abc.def-ghi", "Authorization: Bearer [token]"),
        ("authorization=bearer abc.def", "authorization=bearer [token]"),
        ("Basic dXNlcjpwYXNzd29yZA==", "Basic [token]"),
        ("token EAAGm0PX4ZCpsBAKZCZD", "token [token]"),
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "[secret]"),
        (
            f"https://api.telegram.org/bot{TELEGRAM_TOKEN}/sendMessage",
            "https://api.telegram.org/bot[token]/sendMessage",
        ),
        ("?hub.mode=subscribe&hub.verify_token=let-me-in&x=1", "?hub.mode=subscribe&hub.verify_token=[token]&x=1"),
        ("postgres://parley:s3cret@db:5432/parley", "postgres://[credentials]@db:5432/parley"),
        ("redis://:s3cret@cache:6379/0", "redis://[credentials]@cache:6379/0"),
        ("Failing row\nDETAIL:  Key (x)=(my secret text).\nCONTEXT: y", "Failing row\nDETAIL:[row]\nCONTEXT: y"),
    ],
)
def test_what_looks_personal_or_secret_is_masked_wherever_it_stands(text, expected):
    assert redact(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "message_sent message_id=17 tokens=1234567890",
        "2026-11-22T10:00:00+00:00",
        "22/Nov/2026:10:00:00 +0100",
        "1 + 1 = 2, and +3 too",
        "risk-based task-force disk-usage",
        "bot.models.InboundMessage in /srv/parley/bot/models.py line 12345678",
        "https://parley.example.org/webhooks/whatsapp/sales/",
        "wamid.HBgLMTIwMjU1NTAxMDA",
    ],
)
def test_ids_times_and_names_stay_readable(text):
    assert redact(text) == text


@pytest.mark.parametrize(
    "key",
    [
        "text", "body", "content", "reply_text", "payload", "phone_number", "address", "from", "To", "wa_id", "chat_id",
        "token", "access_token", "accessToken", "app_secret", "authorization", "Authorization", "api_key", "SECRET_KEY",
        "OPENAI_API_KEY", "password", "credentials", "X-Hub-Signature-256", "email", "profile_name", "cookies",
    ],
)  # fmt: skip
def test_personal_and_secret_fields_are_masked_by_name(key):
    assert redact_mapping({key: "anything at all"}) == {key: MASK}
    assert redact_mapping({key: 491701234567}) == {key: MASK}
    assert redact_mapping({key: {"deep": "down"}}) == {key: MASK}


@pytest.mark.parametrize(
    "key",
    ["input_tokens", "context", "part_number", "key", "bot", "message_id", "content_type", "texture", "tokenizer"],
)
def test_fields_that_only_sound_alike_are_kept(key):
    assert redact_mapping({key: "value"}) == {key: "value"}


def test_masking_reaches_every_level_keys_included():
    found = redact_mapping({"a": [{"b": ("+12025550100", {"text": "hi"})}], "+12025550100": 1})
    assert found == {"a": [{"b": ["[phone]", {"text": MASK}]}], "[phone]": 1}


def test_what_is_empty_stays_empty():
    empty = {"text": "", "token": None, "password": False}
    assert redact_mapping(empty) == empty


def test_objects_and_bytes_become_safe_text():
    class Person:
        def __str__(self) -> str:
            return "Person +12025550100"

    assert redact_value(Person()) == "Person [phone]"
    assert redact_value(b"+12025550100") == "[12 bytes]"


def test_the_original_is_not_changed():
    original = {"a": {"text": "hello"}, "b": ["+12025550100"]}
    redact_mapping(original)
    assert original == {"a": {"text": "hello"}, "b": ["+12025550100"]}


def test_endless_nesting_ends():
    loop: dict = {}
    loop["again"] = loop
    assert MASK in str(redact_mapping(loop))


def test_a_phone_hash_stands_for_one_number_and_needs_the_key():
    assert phone_hash("+12025550100", "key") == phone_hash("+12025550100", "key")
    assert phone_hash("+12025550100", "key") != phone_hash("+12025550101", "key")
    assert phone_hash("+12025550100", "key") != phone_hash("+12025550100", "other")
    assert len(phone_hash("+12025550100", "key")) == 12
    assert "2025550100" not in phone_hash("+12025550100", "key")


def test_a_line_is_cheap_and_a_hostile_one_takes_linear_time():
    line = "12:00:00 INFO bot.worker: message_sent message_id=7 turn_id=12 bot=sales to +12025550100"
    assert best_of(5, lambda: [redact(line) for _ in range(200)]) / 200 < 0.0005
    hostile = "a" * 20_000 + "@" + "+1 " * 5_000 + "1." * 5_000
    assert best_of(3, lambda: redact(hostile)) < 1


def best_of(times, call):
    """Return the least seconds of several calls: the others were disturbed by the rest of the machine."""

    def measure():
        started = time.perf_counter()
        call()
        return time.perf_counter() - started

    return min(measure() for _ in range(times))
