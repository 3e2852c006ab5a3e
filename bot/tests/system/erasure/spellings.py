"""Find values in whatever form they stand: escaped, in base64 or hexadecimal, pickled, compressed, signed. No database.

What is packed is unpacked as often as it takes, so a search needs neither a key nor the code that packed it.
"""

import base64
import binascii
import gzip
import html
import json
import re
import unicodedata
import zlib
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

import phonenumbers

from users.phone import is_e164, variants

# Something packed in something packed: a compressed pickle in base64, in a JSON text, in a URL.
DEPTH = 5
BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{12,}")
HEXADECIMAL = re.compile(rb"(?:[0-9a-fA-F]{2}){6,}")
# (More backslashes where JSON stands in JSON.)
ESCAPED = re.compile(rb"\\+u([0-9a-fA-F]{4})")
# What people and libraries put between the digits of a number.
BETWEEN_DIGITS = re.compile("(?<=[0-9])[ \u00a0().\\-/_]{1,3}(?=[0-9])")


class Search:
    """Looks for values by their names: {"number": "+55…", "word": "…"}. Phone numbers are found in any spelling."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = dict(values)
        self._digits = {name: _spelled_digits(value) for name, value in values.items() if is_e164(value)}
        self._words = {name: _folded(value.encode()) for name, value in values.items() if not is_e164(value)}
        self._cores = {
            name: [core for text in self._digits.get(name, [value]) for core in base64_cores(text)]
            for name, value in values.items()
        }

    def find(self, content: Any, depth: int = DEPTH) -> set[str]:
        """Return the names of the values that content holds, as text, as bytes, or in what is packed in it.

        depth: how often what is packed is unpacked. (Of megabytes that takes long.)
        """
        found: set[str] = set()
        for layer in layers(as_bytes(content), depth):
            folded = _folded(layer)
            joined = BETWEEN_DIGITS.sub("", folded)
            found |= {name for name, word in self._words.items() if word in folded}
            found |= {name for name, spelled in self._digits.items() if any(one in joined for one in spelled)}
            # (Where something else stands directly before it, base64 cannot be decoded from its beginning.)
            plain = layer.replace(b"-", b"+").replace(b"_", b"/")
            found |= {name for name, cores in self._cores.items() if any(core in plain for core in cores)}
        return found


def as_bytes(content: Any) -> bytes:
    """Return a value of a database, of Redis or of a file as bytes to search."""
    match content:
        case None:
            return b""
        case bytes():
            return content
        case memoryview() | bytearray():
            return bytes(content)
        case str():
            return content.encode("utf-8", "surrogateescape")
        case dict() | list() | tuple():
            return json.dumps(content, ensure_ascii=False, default=repr).encode("utf-8", "surrogatepass")
    return str(content).encode("utf-8", "surrogateescape")


def layers(content: bytes, depth: int) -> Iterator[bytes]:
    """Yield content, and everything that can be unpacked from it."""
    if not content:
        return
    yield content
    if depth == 0:
        return
    for inner in {*_unescaped(content), *_decoded(content), *_decompressed(content)} - {content, b""}:
        yield from layers(inner, depth - 1)


def base64_cores(text: str) -> list[bytes]:
    """Return what base64 makes of a text inside of something, for each of the three places it may begin at."""
    cores = []
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + text.encode())
        # What the characters before and after have a share in is left out.
        cores.append(encoded[(0, 2, 3)[shift] :].rstrip(b"=")[:-1])
    return cores


def _unescaped(content: bytes) -> Iterator[bytes]:
    if b"%" in content:
        yield unquote_to_bytes(content.replace(b"+", b" "))
        yield unquote_to_bytes(content)
    if b"\\u" in content:
        yield ESCAPED.sub(lambda match: chr(int(match[1], 16)).encode("utf-8", "replace"), content)
    if b"&" in content:
        yield html.unescape(content.decode("utf-8", "replace")).encode("utf-8", "replace")

    try:
        content.decode()
    except UnicodeDecodeError:  # (old pickles are latin-1)
        yield content.decode("latin-1").encode()


def _decoded(content: bytes) -> Iterator[bytes]:
    for token in set(BASE64.findall(content)):
        plain = token.replace(b"-", b"+").replace(b"_", b"/")
        # (One character too many is no base64: it belongs to what stands behind.)
        plain = plain[:-1] if len(plain) % 4 == 1 else plain
        yield base64.b64decode(plain + b"=" * (-len(plain) % 4))
    for token in set(HEXADECIMAL.findall(content)):
        yield binascii.unhexlify(token)


def _decompressed(content: bytes) -> Iterator[bytes]:
    try:
        if content[:1] == b"\x78":
            yield zlib.decompressobj().decompress(content)
        elif content[:2] == b"\x1f\x8b":
            yield gzip.decompress(content)
    except (zlib.error, OSError, EOFError):
        return  # it only looked so


def _folded(content: bytes) -> str:
    return unicodedata.normalize("NFC", content.decode("utf-8", "surrogateescape")).casefold()


def _spelled_digits(number: str) -> list[str]:
    """Return the digits of a number in its equivalent spellings, as people write them at home: without country code.

    They are part of the international number as well.
    """
    code = str(phonenumbers.parse(number).country_code)
    return [one[1 + len(code) :] for one in variants(number)]
