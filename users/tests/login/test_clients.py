"""Which address a request comes from."""

from typing import Any

import pytest
from django.test import RequestFactory

from users.login.clients import UNREADABLE, client_address

LOGIN = "/admin/login/"


def test_behind_our_proxy_the_last_address_counts(settings: Any) -> None:
    settings.BEHIND_PROXY = True
    request = RequestFactory().post(LOGIN, REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR="1.1.1.1, 203.0.113.7")
    assert client_address(request) == "203.0.113.7", "what comes before it anybody can write"
    without = RequestFactory().post(LOGIN, REMOTE_ADDR="10.0.0.1")
    assert client_address(without) == "10.0.0.1"


@pytest.mark.parametrize(
    ("header", "address"),
    [
        ("203.0.113.6:40000", "203.0.113.6"),
        ("203.0.113.6:40001", "203.0.113.6"),
        (" 203.0.113.6 ", "203.0.113.6"),
        ("[2001:db8::5]:40002", "2001:db8::5"),
        ("[2001:db8::5]", "2001:db8::5"),
        ("2001:0DB8:0::5", "2001:db8::5"),
        ("[fe80::1%eth0]:80", "fe80::1"),
        ("fe80::1%25en0", "fe80::1"),
        ("1.1.1.1, 203.0.113.6:1", "203.0.113.6"),
        ("unknown", UNREADABLE),
        ("_hidden", UNREADABLE),
        ("203.0.113.6,", UNREADABLE),
        ("203.0.113.999", UNREADABLE),
        ("203.0.113.6:port", UNREADABLE),
        ("[203.0.113.6", UNREADABLE),
        ("\u0661.1.1.1", UNREADABLE),
    ],
)
def test_an_address_counts_without_its_port_and_brackets(header: str, address: str, settings: Any) -> None:
    settings.BEHIND_PROXY = True
    request = RequestFactory().post(LOGIN, REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=header)
    assert client_address(request) == address


@pytest.mark.parametrize(("proxies", "address"), [(1, "10.0.0.2"), (2, "203.0.113.6"), (3, "9.9.9.9"), (9, "8.8.8.8")])
def test_proxies_of_ours_are_counted_from_the_right(proxies: int, address: str, settings: Any) -> None:
    settings.BEHIND_PROXY, settings.TRUSTED_PROXIES = True, proxies
    header = "8.8.8.8, 9.9.9.9, 203.0.113.6:4711, 10.0.0.2"
    request = RequestFactory().post(LOGIN, REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=header)
    assert client_address(request) == address


def test_another_header_may_be_the_one_that_counts(settings: Any) -> None:
    settings.BEHIND_PROXY, settings.CLIENT_ADDRESS_META = True, "HTTP_CLIENTADDRESS"
    request = RequestFactory().post(LOGIN, HTTP_X_FORWARDED_FOR="1.1.1.1", HTTP_CLIENTADDRESS="203.0.113.6")
    assert client_address(request) == "203.0.113.6"


def test_without_a_proxy_nobody_says_where_they_come_from() -> None:
    request = RequestFactory().post(LOGIN, REMOTE_ADDR="203.0.113.7", HTTP_X_FORWARDED_FOR="1.1.1.1")
    assert client_address(request) == "203.0.113.7"
