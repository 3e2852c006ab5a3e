"""Which deliveries the WhatsApp channel takes for genuine, and how it answers the handshake."""

import hashlib
import hmac

import pytest

from bot.channels.connection import Account
from bot.channels.events import WebhookRequest
from bot.channels.whatsapp import WhatsAppChannel

CHANNEL = WhatsAppChannel()
SECRETS = {"app_secret": "app-secret", "access_token": "access-token", "verify_token": "verify-token"}
KEYS = (b"our key", b"our former key")
ACCOUNT = Account(bot="support", account_id="100000000000001", credentials=SECRETS, echo_keys=KEYS)


def signed(content: bytes, secret: str = "app-secret") -> str:
    return "sha256=" + hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()


def test_a_body_signed_with_the_app_secret_is_genuine() -> None:
    # The digest was computed with openssl: printf '{"a": "ü"}' | openssl dgst -sha256 -hmac app-secret
    digest = "30cc850e3b09d199f80b93f1ae90276f31ccbfb319b2ea682522be914fb01302"
    request = WebhookRequest({"X-Hub-Signature-256": f"sha256={digest}"}, '{"a": "ü"}'.encode())
    assert CHANNEL.verify(ACCOUNT, request) is True


@pytest.mark.parametrize(
    ("label", "header"),
    [
        ("no signature", None),
        ("an empty signature", ""),
        ("another secret's", signed(b"{}", "other-secret")),
        ("an empty secret's", signed(b"{}", "")),
        ("another body's", signed(b"{ }")),
        ("a bare digest", signed(b"{}").removeprefix("sha256=")),
        ("another algorithm's name", signed(b"{}").replace("sha256", "sha1")),
        ("a cut digest", signed(b"{}")[:-1]),
        ("an upper-case digest", "sha256=" + signed(b"{}").removeprefix("sha256=").upper()),
        ("no ASCII", "sha256=ü\udc80"),
    ],
)
def test_a_body_that_is_not_signed_with_the_app_secret_is_refused(label: str, header: str | None) -> None:
    headers = {} if header is None else {"X-Hub-Signature-256": header}
    assert CHANNEL.verify(ACCOUNT, WebhookRequest(headers, b"{}")) is False, label


@pytest.mark.parametrize("credentials", [{}, {"app_secret": ""}])
def test_nothing_is_genuine_without_an_app_secret(credentials: dict[str, str]) -> None:
    request = WebhookRequest({"X-Hub-Signature-256": signed(b"{}", "")}, b"{}")
    assert CHANNEL.verify(Account("support", "1", credentials), request) is False


def test_bots_of_one_meta_app_share_a_signer_and_bots_without_a_secret_none() -> None:
    sibling = Account("sales", "100000000000009", {"app_secret": "app-secret"})
    stranger = Account("other", "100000000000010", {"app_secret": "other-secret"})
    assert CHANNEL.same_signer(ACCOUNT, sibling)
    assert not CHANNEL.same_signer(ACCOUNT, stranger)
    assert not CHANNEL.same_signer(Account("a"), Account("b"))


QUERY = {"hub.mode": "subscribe", "hub.verify_token": "verify-token", "hub.challenge": "1158201444"}


def test_the_handshake_echoes_the_challenge() -> None:
    assert CHANNEL.handshake(ACCOUNT, QUERY) == "1158201444"


@pytest.mark.parametrize(
    ("label", "query", "credentials"),
    [
        ("a wrong token", {**QUERY, "hub.verify_token": "guess"}, SECRETS),
        ("a token that is not ASCII", {**QUERY, "hub.verify_token": "ü\udc80"}, SECRETS),
        ("no token", {"hub.mode": "subscribe", "hub.challenge": "1"}, SECRETS),
        ("another mode", {**QUERY, "hub.mode": "unsubscribe"}, SECRETS),
        ("no challenge", {**QUERY, "hub.challenge": ""}, SECRETS),
        ("no query", {}, SECRETS),
        ("none configured", QUERY, {}),
        ("none configured and an empty one given", {**QUERY, "hub.verify_token": ""}, {"verify_token": ""}),
    ],
)
def test_the_handshake_is_refused(label: str, query: dict[str, str], credentials: dict[str, str]) -> None:
    assert CHANNEL.handshake(Account("support", "1", credentials), query) is None, label
