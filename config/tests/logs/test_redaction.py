"""What is masked in log lines and error reports, and what stays readable."""

import base64
import time
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from config.logs import redaction
from config.logs.redaction import (
    MASK,
    hide,
    phone_hash,
    redact,
    redact_foreign,
    redact_mapping,
    redact_value,
    register_secrets,
)

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
        # (WhatsApp's id of a message is its person's number in base64.)
        ("sent as wamid.HBgLMTIwMjU1NTAxMDAVAgARGBI=, read", "sent as [wamid], read"),
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


@pytest.fixture
def known(monkeypatch) -> Iterator[str]:
    monkeypatch.setattr(redaction, "_secrets_of", {})
    secret = 'correct horse/"battery"+staple'
    register_secrets("test", [secret, "short", ""])
    yield secret
    register_secrets("test", [])


@pytest.mark.parametrize(
    "spelled",
    [str, lambda secret: quote(secret, safe=""), lambda secret: base64.b64encode(secret.encode()).decode(), repr],
)
@pytest.mark.parametrize("around", ["it is {}", "{}", "long " * 20 + "https://x/?k={}&y=1"])
def test_a_known_secret_is_masked_however_it_looks_and_is_written(known, spelled, around):
    masked = redact(around.format(spelled(known)))
    assert "[secret]" in masked
    assert "horse" not in masked
    assert base64.b64encode(known.encode()).decode().rstrip("=") not in masked


def test_what_an_owner_no_longer_has_is_no_secret_any_more_and_others_stay_known(known):
    register_secrets("others", ["another-secret"])
    register_secrets("test", ["a-new-secret"])
    assert redact("a-new-secret, another-secret") == "[secret], [secret]"
    assert redact(known) == known
    register_secrets("others", [])


def test_short_secrets_would_mask_ordinary_words_and_are_left_alone(known):
    assert redact("a short word") == "a short word"


def test_there_is_a_bound_to_the_secrets_that_are_known(known):
    register_secrets("many", [f"secret-number-{number:06}" for number in range(5_000)])
    assert len(redaction._secrets) == redaction.MOST_SECRETS
    started = time.perf_counter()
    redact("no secret in here at all, " * 10)
    assert time.perf_counter() - started < 0.05
    register_secrets("many", [])


def test_the_address_of_whose_turn_it_is_is_masked_without_its_plus_too():
    with hide("+491701234567"), hide("DE.abc123abc123"):
        assert redact("491701234567 and (491701234567)") == "[address] and ([address])"
        assert redact_mapping({"kinds": ["x491701234567y"]}) == {"kinds": ["x[address]y"]}
        assert redact("DE.abc123abc123") == "[bsuid]"
    assert redact("491701234567") == "491701234567"


def test_the_message_of_a_library_keeps_its_first_line_without_long_numbers():
    assert redact_foreign("Unclosed <x at 0x7f> for 491701234567\nfuture: words") == "Unclosed <x at 0x7f> for [digits]"
    assert redact_foreign("49 170 123-4567 did") == "[digits] did"
    assert redact_foreign("Spawning worker-1 with PID: 1234567") == "Spawning worker-1 with PID: 1234567"


@pytest.mark.parametrize("text", ["+12025550100", "sk-abcdef", "EAAabcdefghijk", "DE.abc123abc123", "a@b.example",
    "x://u:p@h", "DETAIL: row", "Bearer abc", "basic YWxhZGRpbjpvcGVu", "whsec_abc", "verify_token=x", "wamid.abc",
    TELEGRAM_TOKEN, "%2b12025550100"])  # fmt: skip
def test_the_quick_look_overlooks_nothing_that_the_slow_one_finds(text):
    for around in ("{}", "(a {} b)", "x" * 100 + " {} y"):
        assert text not in redact(around.format(text))


def test_a_line_is_cheap_and_a_hostile_one_takes_linear_time():
    line = "12:00:00 INFO bot.worker.worker: message_sent message_id=7 turn_id=12 bot=sales to +12025550100"
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
