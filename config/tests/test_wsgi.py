"""The pages' WSGI application: whom it takes a request to be from, bodies in chunks, and what a download leaves."""

import io
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest
from django.db import connections
from django.db.backends.signals import connection_created
from django.test import Client
from django.urls import reverse

from bot.tests.support.factories import WhatsAppBotFactory, signature, whatsapp_body, whatsapp_message, whatsapp_value
from bot.tests.support.wsgi import ask
from config.front import front_token
from config.wsgi import application, believe_front, give_length
from users.tests.factories import alice

OURS = {"HTTP_PARLEY_CLIENT", "HTTP_PARLEY_FRONT"}


def believed(**environ: str) -> dict[str, Any]:
    request: dict[str, Any] = {"REMOTE_ADDR": "10.0.0.1", **environ}
    believe_front(request)
    return request


def test_what_the_front_says_of_a_client_is_believed() -> None:
    request = believed(HTTP_PARLEY_CLIENT="203.0.113.9", HTTP_PARLEY_FRONT=front_token())
    assert request == {"REMOTE_ADDR": "203.0.113.9"}


@pytest.mark.parametrize("token", ["", "guess", None, "é", front_token()[:-1], front_token().upper()])
def test_what_others_say_is_not(token: str | None) -> None:
    given = {} if token is None else {"HTTP_PARLEY_FRONT": token}
    assert believed(HTTP_PARLEY_CLIENT="127.0.0.1", **given) == {"REMOTE_ADDR": "10.0.0.1"}


def test_the_token_is_that_of_the_secret_key(settings: Any) -> None:
    token = front_token()
    assert len(token) >= 40 and settings.SECRET_KEY not in token
    settings.SECRET_KEY = "another key of this test"
    assert believed(HTTP_PARLEY_CLIENT="127.0.0.1", HTTP_PARLEY_FRONT=token) == {"REMOTE_ADDR": "10.0.0.1"}


def test_a_client_without_an_address_is_nobody_and_not_this_machine(db: None) -> None:
    """A proxy that reaches the front over a Unix socket has none."""
    assert believed(HTTP_PARLEY_CLIENT="", HTTP_PARLEY_FRONT=front_token())["REMOTE_ADDR"] == ""


def chunked(body: bytes) -> dict[str, Any]:
    return {"wsgi.input": io.BytesIO(body), "wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}


@pytest.mark.parametrize("body", [b"", b"{}", b"x" * 100_000])
def test_a_body_in_chunks_is_given_a_length(body: bytes) -> None:
    environ = chunked(body)
    give_length(environ)
    assert environ["CONTENT_LENGTH"] == str(len(body))
    assert environ["wsgi.input"].read() == body


def test_no_more_of_it_is_read_than_tells_that_it_is_too_much(settings: Any) -> None:
    settings.WEBHOOK_MAX_BYTES = 1_000
    environ = chunked(b"x" * 5_000)
    source = environ["wsgi.input"]
    give_length(environ)
    assert (environ["CONTENT_LENGTH"], source.tell()) == ("1001", 1_001)


def test_a_length_that_is_said_and_an_input_that_does_not_end_are_left_alone() -> None:
    for environ in ({"CONTENT_LENGTH": "2", "wsgi.input_terminated": True}, {"wsgi.input_terminated": False}):
        before = {**environ, "wsgi.input": io.BytesIO(b"{}")}
        after = dict(before)
        give_length(after)
        assert after == before


def test_a_genuine_delivery_in_chunks_is_taken_and_one_that_is_too_large_refused(db: None, settings: Any) -> None:
    WhatsAppBotFactory.create(slug="shop")
    body = whatsapp_body(whatsapp_value(messages=[whatsapp_message()]))
    given = {"CONTENT_LENGTH": "", "HTTP_X_HUB_SIGNATURE_256": signature(body), **chunked(body)}
    assert ask("/webhooks/whatsapp/shop/", "POST", body, **given).status == 200
    settings.WEBHOOK_MAX_BYTES = settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    given["wsgi.input"] = io.BytesIO(body)
    assert ask("/webhooks/whatsapp/shop/", "POST", body, **given).status == 413


def test_a_download_leaves_its_thread_with_the_one_connection_it_had(transactional_db: None, client: Client) -> None:
    client.force_login(alice())
    cookie = f"sessionid={client.cookies['sessionid'].value}"
    opened: list[object] = []

    def download() -> list[str]:
        statuses: list[str] = []
        environ: dict[str, Any] = {
            "REQUEST_METHOD": "GET", "PATH_INFO": reverse("admin:users_user_export"), "HTTP_HOST": "localhost",
            "REMOTE_ADDR": "127.0.0.1", "HTTP_COOKIE": cookie,
        }  # fmt: skip
        setup_testing_defaults(environ)
        answer: Any = application(environ, lambda status, *_: statuses.append(status))
        assert b"Alice" in b"".join(answer)
        answer.close()
        return statuses

    def note(**_: object) -> None:
        opened.append(object())

    connection_created.connect(note)
    try:
        with ThreadPoolExecutor(1) as threads:
            assert [threads.submit(download).result() for _ in range(3)] == [["200 OK"]] * 3
            threads.submit(connections.close_all).result()
    finally:
        connection_created.disconnect(note)
    assert len(opened) == 1
