"""Requests for pages are handed to their process as they are, and its answers back, over a real Unix socket."""

import pytest

from bot.tests.front.calling import Caller
from bot.tests.front.granian import STRANGER, FakeConnection
from bot.tests.front.standin import PagesStandIn, answering
from config.front import is_from_front


def names(pairs: list[tuple[str, str]]) -> list[str]:
    return [name.lower() for name, _ in pairs]


@pytest.mark.parametrize(
    ("target", "line"),
    [
        ("/", "/"),
        ("/admin/?q=a%20b+c&q=%2F%C3%BC&=&&x", "/admin/?q=a%20b+c&q=%2F%C3%BC&=&&x"),
        ("/admin/users/ü 1/", "/admin/users/%C3%BC%201/"),
        ("/a%2Fb/", "/a%252Fb/"),  # (granian has decoded it once: that was %252F)
        ("/a?b?c=?", "/a?b?c=?"),
        ("/a#b/", "/a%23b/"),
        ("//elsewhere.example/x", "//elsewhere.example/x"),
        ("/../a/./b", "/../a/./b"),
        ("/a\r\nX-Injected: 1", "/a%0D%0AX-Injected:%201"),
        ("/a\x00b", "/a%00b"),
    ],
)
def test_a_path_and_its_query_arrive_as_they_were(front: Caller, pages: PagesStandIn, target: str, line: str) -> None:
    assert front.ask("GET", target).content == b"Hi"
    assert [asked.line for asked in pages.asked] == [f"GET {line} HTTP/1.1"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"])
def test_a_method_is_handed_on_and_a_body_with_its_length(front: Caller, pages: PagesStandIn, method: str) -> None:
    body = b"" if method in ("GET", "HEAD") else b"a=1"
    front.ask(method, "/x", body, {"Content-Type": "application/x-www-form-urlencoded"})
    (asked,) = pages.asked
    assert (asked.line, asked.body) == (f"{method} /x HTTP/1.1", body)
    assert asked.header("content-type") == ["application/x-www-form-urlencoded"]
    if body:
        assert asked.header("content-length") == ["3"]
    assert asked.header("transfer-encoding") == []


def test_a_body_in_chunks_is_handed_on_with_its_length(front: Caller, pages: PagesStandIn) -> None:
    front.ask("POST", "/x", FakeConnection(b"a=", b"1"), {"Transfer-Encoding": "chunked"})
    (asked,) = pages.asked
    assert (asked.body, asked.header("content-length"), asked.header("transfer-encoding")) == (b"a=1", ["3"], [])


def test_headers_arrive_as_they_were_without_those_of_one_connection(front: Caller, pages: PagesStandIn) -> None:
    kept = [
        ("Host", "parley.example"), ("Cookie", "sessionid=a; b=c"), ("Accept-Language", "de"), ("X-Forwarded-For", "1"),
        ("X-Forwarded-For", "2"), ("User-Agent", "x"), ("Accept-Encoding", "br"), ("Origin", "https://a"),
    ]  # fmt: skip
    dropped = [
        ("Connection", "keep-alive"), ("Keep-Alive", "1"), ("TE", "trailers"), ("Upgrade", "websocket"),
        ("Proxy-Authorization", "x"), ("Expect", "100-continue"), ("Trailer", "x"),
    ]  # fmt: skip
    front.ask("GET", "/", headers=[*kept, *dropped])
    (asked,) = pages.asked
    found = [(name.lower(), value) for name, value in asked.headers]
    ours = {"parley-client", "parley-front"}
    assert [pair for pair in found if pair[0] not in ours] == [(name.lower(), value) for name, value in kept]


def test_no_header_is_made_up(front: Caller, pages: PagesStandIn) -> None:
    front.ask("GET", "/", headers={"Host": "parley.example"})
    assert sorted(names(pages.asked[0].headers)) == ["host", "parley-client", "parley-front"]


def test_nobody_pretends_to_be_the_front_or_spells_a_header_as_wsgi_would(front: Caller, pages: PagesStandIn) -> None:
    forged = [
        ("Parley-Client", "127.0.0.1"), ("Parley-Front", "guess"), ("parley_client", "127.0.0.1"),
        ("Parley_Front", "guess"), ("X_Forwarded_For", "127.0.0.1"), ("X_Real-IP", "127.0.0.1"),
        ("Content_Length", "9"),
    ]  # fmt: skip
    front.ask("GET", "/", headers=forged, client=STRANGER)
    (asked,) = pages.asked
    assert not [name for name, _ in asked.headers if "_" in name]
    assert asked.header("parley-client") == ["203.0.113.9"]
    (token,) = asked.header("parley-front")
    assert is_from_front(token)


@pytest.mark.parametrize(
    ("client", "address"),
    [("203.0.113.9:1", "203.0.113.9"), ("[2001:db8::1]:1", "2001:db8::1"), ("2001:db8::1:1", "2001:db8::1"), ("", "")],
)
def test_the_pages_are_told_the_address_of_the_other_end(
    front: Caller, pages: PagesStandIn, client: str, address: str
) -> None:
    front.ask("GET", "/", client=client)
    assert pages.asked[0].header("parley-client") == [address]


def test_an_answer_comes_back_as_it_was_without_headers_of_one_connection(front: Caller, pages: PagesStandIn) -> None:
    pages.answer = answering(
        b"\x1f\x8bcompressed", "Content-Type: text/html", "Set-Cookie: a=1; Path=/", "Set-Cookie: b=2; Secure",
        "Content-Encoding: gzip", "Connection: keep-alive", "Keep-Alive: 1", "Server: granian", "X-Request-ID: abc",
        "Vary: Cookie", "Vary: Accept-Language", status="404 Not Found",
    )  # fmt: skip
    answer = front.ask("GET", "/")
    assert (answer.status, answer.content) == (404, b"\x1f\x8bcompressed")
    assert answer.header("set-cookie") == ["a=1; Path=/", "b=2; Secure"]
    assert answer.header("vary") == ["Cookie", "Accept-Language"]
    assert (answer.header("content-encoding"), answer.header("content-length")) == (["gzip"], ["12"])
    assert (answer.header("server"), answer.header("x-request-id")) == (["web"], ["abc"])
    assert not {"connection", "keep-alive", "transfer-encoding"} & {name for name, _ in answer.headers}


@pytest.mark.parametrize("status", ["301 Moved Permanently", "302 Found", "303 See Other", "307 x", "308 x"])
def test_a_redirect_is_the_clients(front: Caller, pages: PagesStandIn, status: str) -> None:
    pages.answer = answering(b"", "Location: /admin/login/?next=/", status=status)
    answer = front.ask("POST", "/", b"a=1")
    assert (answer.status, answer.header("location")) == (int(status[:3]), ["/admin/login/?next=/"])
    assert len(pages.asked) == 1


def test_cookies_of_one_are_not_sent_for_another(front: Caller, pages: PagesStandIn) -> None:
    pages.answer = answering(b"", "Set-Cookie: sessionid=alices; Path=/")
    front.ask("GET", "/")
    front.ask("GET", "/")
    assert [asked.header("cookie") for asked in pages.asked] == [[], []]


def test_an_answer_without_a_body_says_how_long_it_would_be(front: Caller, pages: PagesStandIn) -> None:
    pages.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n"
    answer = front.ask("HEAD", "/")
    assert (answer.status, answer.content, answer.header("content-length")) == (200, b"", ["5000000"])


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_an_answer_that_has_no_body_gets_no_length(front: Caller, pages: PagesStandIn, status: str) -> None:
    pages.answer = f'HTTP/1.1 {status}\r\nETag: "a"\r\n\r\n'.encode()
    for _ in range(2):
        answer = front.ask("GET", "/static/a.css")
        assert (answer.status, answer.content) == (int(status[:3]), b"")
        assert (answer.header("content-length"), answer.header("etag")) == ([], ['"a"'])
