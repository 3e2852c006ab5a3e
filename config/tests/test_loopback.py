"""Who counts as this machine itself: nobody that something has passed on."""

import pytest
from django.test import RequestFactory

from config.loopback import is_local

FORWARDING = (
    *("X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded", "X_Forwarded_For"),
    *("Forwarded", "Forwarded-For", "Via", "X-Real-IP", "CF-Connecting-IP", "CF-Ray", "True-Client-IP", "Client-IP"),
    *("X-Client-IP", "X-Cluster-Client-IP", "X-Original-Host", "X-Envoy-External-Address", "Fastly-Client-IP"),
    *("Fly-Client-IP", "Tailscale-User-Login", "CDN-Loop"),
)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"])
def test_a_request_from_this_machine_is_local(address: str) -> None:
    assert is_local(RequestFactory().get("/", REMOTE_ADDR=address))


@pytest.mark.parametrize(
    "address",
    ["", "unix:", "10.0.0.1", "192.168.1.2", "172.17.0.1", "203.0.113.7", "2001:db8::1", "::ffff:10.0.0.1", "::",
     "localhost", "127.0.0.1:4000", "fe80::1%lo", "no address"],
)  # fmt: skip
def test_a_request_from_elsewhere_or_from_an_unreadable_address_is_not(address: str) -> None:
    assert not is_local(RequestFactory().get("/", REMOTE_ADDR=address))


def test_a_request_without_an_address_is_not() -> None:
    request = RequestFactory().get("/")
    del request.META["REMOTE_ADDR"]

    assert not is_local(request)


@pytest.mark.parametrize("value", ["127.0.0.1", "203.0.113.7", ""])
@pytest.mark.parametrize("header", FORWARDING)
def test_a_request_that_something_has_forwarded_is_not(header: str, value: str) -> None:
    # (As a WSGI server spells a header's name.)
    name = f"HTTP_{header.upper().replace('-', '_')}"

    assert not is_local(RequestFactory().get("/", REMOTE_ADDR="127.0.0.1", **{name: value}))


def test_other_headers_change_nothing() -> None:
    headers = {"x-request-id": "7", "referer": "http://x/", "user-agent": "curl/8.0", "authorization": "Bearer x"}

    assert is_local(RequestFactory().get("/", REMOTE_ADDR="127.0.0.1", headers=headers))
