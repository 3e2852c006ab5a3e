"""Whole deliveries: a mutated body, sometimes damaged in its bytes, with the headers of a provider or odd ones."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from bot.tests.support.factories import APP_SECRET, signature
from bot.tests.system.fuzzing import payloads
from bot.tests.system.fuzzing.mutations import LITERALS, mutate, write

JSON_TYPE = "application/json"
CONTENT_TYPES = (
    "", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "multipart/form-data; boundary=x",
    "application/json; charset=utf-16", "text/plain; charset=hex", "text/plain; charset=undefined",
    "text/x; charset=idna",
    "application/json; charset=" + "x" * 5_000, "x; a*=nope''%41", "x; a*=utf-8''%ff; a*0=1", ";", ";;charset",
    "é/ü; q=\xff",
    'a/b; c="', "a/b; charset*=hex''%41", "application/json, application/json", "x" * 20_000,
)  # fmt: skip
LENGTHS = ("", "abc", "-1", "1e3", "1.5", "٣", " 7 ", "+5", "0", "9" * 5_000, "0x10", "99999999999")


@dataclass(frozen=True, slots=True)
class Delivery:
    """One POST: its body, content type, and what else stands in the WSGI environment (names as there)."""

    body: bytes
    content_type: str = JSON_TYPE
    environ: dict[str, str] = field(default_factory=dict)


def signed(body: bytes, content_type: str = JSON_TYPE, **environ: str) -> Delivery:
    """Return a delivery with the right signature."""
    return Delivery(body, content_type, {"HTTP_X_HUB_SIGNATURE_256": signature(body, APP_SECRET), **environ})


def delivery(source: Random) -> Delivery:
    """Return a signed delivery as hostile as the source wants it."""
    body = hostile_body(source)
    return signed(body, source.choice(CONTENT_TYPES)) if source.random() < 0.05 else signed(body)


def hostile_body(source: Random) -> bytes:
    """Return a body: mutated a few times, sometimes damaged."""
    body = write(mutated(source))
    return source.choice(DAMAGES)(body, source) if source.random() < 0.07 else body


def mutated(source: Random, *, literals: bool = True) -> Any:
    """Return a payload with a few things changed; now and then none."""
    node: Any = payloads.body(source)
    for _ in range(source.choice((0, 1, 1, 1, 2, 2, 3, 8))):
        node = mutate(node, source, payloads.body, literals=literals)
    return node


def odd_environ(source: Random) -> dict[str, str]:
    """Return headers that nobody needs, or that contradict the body."""
    odd = {
        "CONTENT_LENGTH": source.choice(LENGTHS),
        "HTTP_CONTENT_ENCODING": source.choice(("gzip", "br", "x")),
        "HTTP_TRANSFER_ENCODING": "chunked",
        "HTTP_HOST": source.choice(("", "evil.example", "[::1", "a b", "x" * 5_000, "\xff")),
        "HTTP_COOKIE": source.choice(("", "=", ";;", "sessionid=" + "x" * 5_000, "\xff\xfe=1", "a=b; a=c")),
        "HTTP_X_FORWARDED_FOR": "127.0.0.1, ::1, x",
        "HTTP_X_FORWARDED_PROTO": source.choice(("http", "gopher", "")),
        "HTTP_ACCEPT_LANGUAGE": source.choice(("xx", "de;q=9", "x" * 5_000, "*;q=\xff")),
        "HTTP_EXPECT": "100-continue",
        "HTTP_X_HTTP_METHOD_OVERRIDE": "DELETE",
    }
    return {name: odd[name] for name in source.sample(sorted(odd), source.choice((1, 2, 4)))}


def _cut(body: bytes, source: Random) -> bytes:
    return body[: source.randrange(len(body) + 1)]


def _drop(body: bytes, source: Random) -> bytes:
    start = source.randrange(len(body) + 1)
    return body[:start] + body[start + source.choice((1, 2, 20)) :]


def _insert(body: bytes, source: Random) -> bytes:
    at = source.randrange(len(body) + 1)
    return body[:at] + source.choice((*LITERALS, b"\x00", b"\xff", b'"', b"\\", b",", b"}", b"]")) + body[at:]


def _flip(body: bytes, source: Random) -> bytes:
    changed = bytearray(body)
    for _ in range(min(len(changed), source.choice((1, 3)))):
        changed[source.randrange(len(changed))] = source.randrange(256)
    return bytes(changed)


DAMAGES: tuple[Callable[[bytes, Random], bytes], ...] = (
    _cut,
    _drop,
    _insert,
    _flip,
    lambda body, source: b"",
    lambda body, source: b" \r\n\t",
    lambda body, source: b"\xef\xbb\xbf" + body,
    lambda body, source: body + body,
    lambda body, source: body + b"\x00",
    lambda body, source: body.decode("utf-8", "replace").encode("utf-16"),
    lambda body, source: source.choice(LITERALS),
    lambda body, source: source.randbytes(source.randrange(200)),
)
