"""What breaks parsers, as the bytes it is. What a run of `python -m bot.tests.system.fuzzing` finds belongs here."""

import hashlib
import sqlite3
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection

from bot.channels.whatsapp.events import MOST_EVENTS
from bot.models import InboundMessage
from bot.tests.support.entrances import Django, Entrance
from bot.tests.system.fuzzing.answering import PATH, cast
from bot.tests.system.fuzzing.deliveries import signed
from bot.tests.system.fuzzing.legal import row_faults
from bot.tests.system.fuzzing.posting import post

pytestmark = [pytest.mark.database, pytest.mark.django_db, pytest.mark.promise("hostile")]

HEAD = (
    b'{"object":"whatsapp_business_account","entry":[{"changes":[{"field":"messages","value":'
    b'{"metadata":{"phone_number_id":"100200300"},'
)
TAIL = b"}}]}]}"
GOOD = b'{"id":"wamid.good","type":"text","from":"4915100000001","text":{"body":"Hi"}}'


def messages(*items: bytes) -> bytes:
    """Return a delivery of these messages, which are put in as they stand."""
    return HEAD + b'"messages":[' + b",".join(items) + b"]" + TAIL


def text(body: bytes) -> bytes:
    """Return a delivery of one text message, whose body is put in as it stands."""
    return messages(b'{"id":"wamid.1","type":"text","from":"4915100000001","text":{"body":' + body + b"}}")


def sender(rest: bytes) -> bytes:
    """Return a text message whose sender is put in as it stands, next to a good one."""
    return messages(b'{"id":"wamid.1","type":"text","text":{"body":"Hi"},' + rest + b"}", GOOD)


@pytest.fixture
def bot() -> Any:
    return cast()


def deliver(door: Entrance, body: bytes) -> int:
    return door.post(PATH, body).status


REFUSED = {
    "nothing at all": b"",
    "white space": b" \r\n\t",
    "a NUL": b"\x00",
    "a byte order mark": b"\xef\xbb\xbf" + text(b'"Hi"'),
    "UTF-16": text(b'"Hi"').decode().encode("utf-16"),
    "UTF-8 cut in the middle": text('"Grüße"'.encode())[: text('"Grüße"'.encode()).index(b"\xbc")],
    "overlong UTF-8": text(b'"\xc0\x80"'),
    "beyond Unicode": text(b'"\xf4\x90\x80\x80"'),
    "a raw NUL inside a text": text(b'"\x00"'),
    "a raw line break inside a text": text(b'"a\nb"'),
    "half an escape": text(b'"\\u12"'),
    "an escape that is none": text(b'"\\x41"'),
    "two documents": text(b'"Hi"') * 2,
    "something behind the end": text(b'"Hi"') + b"x",
    "a comment": text(b'"Hi"/**/'),
    "a comma too many": messages(GOOD + b","),
    "single quotes": text(b"'Hi'"),
    "NaN": messages(GOOD[:-1] + b',"x":NaN}'),
    "Infinity": messages(GOOD[:-1] + b',"x":Infinity}'),
    "minus Infinity": messages(GOOD[:-1] + b',"x":-Infinity}'),
    "an integer of 5,000 digits": messages(GOOD[:-1] + b',"timestamp":' + b"9" * 5_000 + b"}"),
    "a negative integer of 5,000 digits": messages(GOOD[:-1] + b',"x":-' + b"9" * 5_000 + b"}"),
    "a hundred thousand lists": messages(b"[" * 100_000 + b"]" * 100_000),
    "a hundred thousand objects": messages(b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
    "a hundred thousand lists that never close": messages(b"[" * 100_000),
    "a form": b"object=whatsapp_business_account&entry=1",
    "a list of nothing": b"[]",
    "a second object of another kind": text(b'"Hi"')[:-1] + b',"object":"page"}',
    "a second entry that is no list": text(b'"Hi"')[:-1] + b',"entry":{}}',
}


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_and_leaves_nothing(door: Entrance, bot: Any, name: str) -> None:
    assert deliver(door, REFUSED[name]) == 400
    assert not InboundMessage.objects.exists()


# (the body; how many are pending; how many are quarantined)
TAKEN: dict[str, tuple[bytes, int, int]] = {
    "an escaped NUL": (text(b'"a\\u0000b"'), 1, 0),
    # (Put aside, and whoever wrote it is told that it cannot be read.)
    "nothing but an escaped NUL": (text(b'"\\u0000"'), 1, 1),
    "a lone surrogate, escaped": (text(b'"a\\ud800b"'), 1, 0),
    "a lone surrogate, as bytes": (text(b'"a\xed\xa0\x80b"'), 1, 0),
    "a pair of surrogates, as bytes": (text(b'"a\xed\xa0\xbd\xed\xb8\x80b"'), 1, 0),
    "a pair of surrogates the wrong way round": (text(b'"a\\ude00\\ud83db"'), 1, 0),
    "a pair of surrogates": (text(b'"\\ud83d\\ude00"'), 1, 0),
    "a noncharacter": (text(b'"\\uffff\\ufffe"'), 1, 0),
    "control characters": (text(b'"a\\u001b[31m\\u0007\\u009fb"'), 1, 0),
    "an infinite number": (messages(GOOD[:-1] + b',"timestamp":1e999999}'), 1, 0),
    "an integer of 4,300 digits": (messages(GOOD[:-1] + b',"timestamp":' + b"9" * 4_300 + b"}"), 1, 0),
    "a timestamp after all calendars": (messages(GOOD[:-1] + b',"timestamp":99999999999999999999}'), 1, 0),
    "lists in lists that just pass": (messages(GOOD[:-1] + b',"x":' + b"[" * 500 + b"]" * 500 + b"}"), 1, 0),
    "a second text": (messages(GOOD[:-1] + b',"text":{"body":"again"}}'), 1, 0),
    "a second id that is none": (messages(GOOD[:-1] + b',"id":null}'), 0, 1),
    "the same message twice": (messages(GOOD, GOOD), 1, 0),
    "an id with NUL": (
        messages(b'{"id":"w\\u0000","type":"text","from":"4915100000001","text":{"body":"x"}}', GOOD),
        1,
        1,
    ),
    "an id that is a lone surrogate": (messages(GOOD.replace(b"wamid.good", b"\\udc00"), GOOD), 1, 1),
    "an id of 255 characters of four bytes": (messages(GOOD.replace(b"wamid.good", "😀".encode() * 255)), 1, 0),
    "a sender as long as its column": (sender(b'"from_user_id":"DE.' + b"A" * 128 + b"." + b"B" * 123 + b'"'), 2, 0),
    # Longer than its column: PostgreSQL refused the whole delivery, with a 503, for as long as it was delivered.
    "a sender longer than its column": (sender(b'"from_user_id":"DE.' + b"A" * 128 + b"." + b"B" * 124 + b'"'), 1, 1),
    "a second name longer than its column": (
        messages(GOOD[:-1] + b',"from_user_id":"DE.' + b"A" * 128 + b"." + b"B" * 128 + b'"}'),
        1,
        0,
    ),
    "a sender with a line break behind it": (sender(b'"from_user_id":"DE.1\\n"'), 1, 1),
    "a sender in Arabic digits": (sender('"from":"٤٩١٥١٠٠٠٠٠٠٠١"'.encode()), 1, 1),
    "a name that is a lone surrogate": (
        HEAD + b'"contacts":[{"wa_id":"4915100000001","profile":{"name":"\\ud800"}}],"messages":[' + GOOD + b"]" + TAIL,
        1,
        0,
    ),
    "keys that programs trip over": (messages(GOOD[:-1] + b',"__proto__":{"x":1},"":[],"\\u0000":1}'), 1, 0),
    "lists where objects belong": (messages(b"[]", b"[[]]", GOOD), 1, 2),
    "metadata that is a list": (text(b'"Hi"').replace(b'{"phone_number_id":"100200300"}', b"[]"), 0, 1),
    "a status with an id too large for a row": (
        HEAD + b'"statuses":[{"id":"w","status":"read","biz_opaque_callback_data":"9223372036854775808"}]' + TAIL,
        0,
        0,
    ),
    "a status with an error no column holds": (
        HEAD + b'"statuses":[{"id":"w","status":"failed","errors":[{"code":' + b"9" * 4_000 + b"}]}]" + TAIL,
        0,
        0,
    ),
}


@pytest.mark.parametrize("name", TAKEN)
def test_it_is_taken_once_and_only_what_is_malformed_is_quarantined(door: Entrance, bot: Any, name: str) -> None:
    body, pending, quarantined = TAKEN[name]
    for _ in range(2):
        assert deliver(door, body) == 200
        rows = list(InboundMessage.objects.all())
        states = [row.state for row in rows]
        assert (states.count("pending"), states.count("quarantined"), len(states)) == (
            pending,
            quarantined,
            pending + quarantined,
        )
        assert [fault for row in rows for fault in row_faults(row)] == []


@pytest.mark.parametrize("length", ["abc", "1.5", "9" * 5_000, "0x10"])
def test_a_length_that_is_no_number_is_refused(bot: Any, length: str) -> None:
    # (Of a delivery to the front the server has refused it before.)
    assert post(Django(), PATH, signed(text(b'"Hi"'), CONTENT_LENGTH=length)).status == 400


@pytest.mark.parametrize("length", ["", "0", "-1", "10"])
def test_a_length_that_cuts_the_body_makes_the_signature_wrong(bot: Any, length: str) -> None:
    assert post(Django(), PATH, signed(text(b'"Hi"'), CONTENT_LENGTH=length)).status == 403


def test_the_largest_delivery_that_is_taken_fits_into_one_statement_of_any_sqlite(door: Entrance, bot: Any) -> None:
    if connection.vendor == "sqlite":
        # What SQLite itself is built with; distributions allow more.
        connection.connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 32_766)
    ids = (f"wamid.{number}".encode() for number in range(MOST_EVENTS))

    assert deliver(door, messages(*(GOOD.replace(b"wamid.good", id) for id in ids))) == 200
    assert InboundMessage.objects.count() == MOST_EVENTS


def test_of_thousands_of_bad_items_in_megabytes_each_is_quarantined_and_the_body_hashed_once(
    door: Entrance, bot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = messages(*([b"7"] * (MOST_EVENTS - 10)), b'"' + b"x" * 3_800_000 + b'"')
    hashed: list[int] = []

    def counting(content: bytes) -> Any:
        hashed.append(len(content))
        return hashlib.sha256(content)

    monkeypatch.setattr("bot.queue.accept.hashlib", SimpleNamespace(sha256=counting))
    assert deliver(door, body) == 200
    assert InboundMessage.objects.filter(state="quarantined").count() == MOST_EVENTS - 9
    # (For each of them it took half a minute.)
    assert sorted(hashed)[-1] == len(body)
    assert sum(hashed) < 2 * len(body)
