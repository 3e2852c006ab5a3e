"""Change a JSON value at any place: replace, delete, duplicate, retype, nest, reorder, splice, and what no JSON writer
would write. Every choice comes from a random source, so that a seed or Hypothesis can drive it.

What json.dumps() cannot write travels as a marked text and is put in afterwards: LITERALS by number, and a second key
of the same name as the name with a mark behind it.
"""

import json
import re
from collections.abc import Callable
from random import Random
from typing import Any

Slot = tuple[Any, Any]  # (a dict or list, a key or index of it)

# A value of more nodes grows no more: what is duplicated again and again would fill the memory.
LARGEST = 2_000
LITERAL_MARK = "\ue0f0"
AGAIN_MARK = "\ue0f1"

DEEP = 20_000
LITERALS: tuple[bytes, ...] = (
    b"NaN", b"Infinity", b"-Infinity", b"1e999999", b"-1e999999", b"0.1e-99999", b"01", b"0x1F", b"+1", b"1.", b".5",
    b"9" * 5_000, b"-" + b"9" * 5_000, b"9" * 4_300, b"1" + b"0" * 400, b"1." + b"3" * 10_000,
    b'"\\u0000"', b'"a\\u0000b"', b'"\\ud800"', b'"\\udfff"', b'"\\udc00\\ud800"', b'"\\ud83d"', b'"\\uD83D\\uDE00"',
    b'"\xff"', b'"\xc0\x80"', b'"\xed\xa0\x80"', b'"\xed\xa0\xbd\xed\xb8\x80"', b'"\xf4\x90\x80\x80"', b'"\x00"',
    b'"\n"', b'"\\x41"', b'"\\u12"', b"'single'", b"undefined", b"None", b"tru", b"nulll", b"/**/1", b"// a\n1",
    b"[1,]", b'{"a":1,}', b"{1:2}", b'{"a"}', b"[}", b'"open', b"", b"[" * 900 + b"]" * 900,
    b"[" * DEEP + b"]" * DEEP, b'{"a":' * DEEP + b"1" + b"}" * DEEP, b"[" * DEEP, b"\xef\xbb\xbf1",
)  # fmt: skip

VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 1.5, -0.0, 1e308, 2**31, 2**63 - 1, 2**63, 2**64, -(2**63) - 1, 10**300,
    "", " ", "\x00", "a\x00b", "\ud800", "a\udfffb", "\ufeff", "\u202e", "\ufffe", "\U0010ffff", "\r\n", "\x1b[31m",
    "\x7f\x9f",
    "0", "-1", "1.5", "1e9", "9" * 19, "9" * 400, "٤٢", "4" * 15, "4" * 16, "+4915100000001", "0000", "+0123",
    str(2**63 - 1), str(2**63), "4102444800", "4070908800", "1", "NaN", "null", "true", "[]", "{}",
    "DE.1", "de.x", "DE." + "A" * 128, "DE." + "A" * 129, "DE." + "A" * 128 + "." + "B" * 128, "DE.<script>",
    "text", "image", "interactive", "unsupported", "messages", "read", "failed", "__proto__", "constructor",
    "100200300",
    "w" * 255, "w" * 256, "é" * 255, "😀" * 255, "x" * 5_000, "\u0301" * 5_000, "/help", "/ help", "/",
    "'; DROP TABLE bot_bot; --",
    "<script>alert(1)</script>", "{{7*7}}", "%s%n", "%(said)s", "${jndi:ldap://a}", "../../etc/passwd", "wamid.SENT1",
    [], {}, [[]], [None], [{}], {"": None}, {"a": {"b": {}}}, ["text"], {"body": "x"}, [1] * 50, [None, {}, "x", 7, []],
)  # fmt: skip

# Values that fit where they stand, or nearly: an arbitrary one is refused before anything deep is reached.
FITTING: dict[str, tuple[Any, ...]] = {
    "from": (None, "", "+4915100000001", "0000", "4" * 15, "4" * 16, "٤٩١٥١", 4915100000001, "DE.1"),
    "from_user_id": ("DE." + "A" * 128, "DE." + "A" * 128 + "." + "B" * 124, "DE." + "A" * 128 + "." + "B" * 128,
        "DE.1\n", ""),
    "id": ("wamid.HBgN" + "0" * 20, "w" * 255, "é" * 255, "😀" * 255, "w" * 256, "wamid\u0000", "wamid.1 ", " ", 7),
    "timestamp": ("0", "4102444799", "4102444800", "9" * 400, "-1", 4102444799, 1.5e300, True, "1795161600.5",
        " 1795161600"),
    "biz_opaque_callback_data": ("1", "0", "01", str(2**63 - 1), str(2**63), "9" * 5_000, "-1", "1.0", 1, "x"),
    "code": (131051, "131051", 131051.0, True, 10**300, -1, "x" * 500, "a\u0000", [131051], None),
    "status": ("read", "failed", "sent", "played", "READ", "", ["read"], {"read": 1}),
    "type": ("text", "interactive", "image", "order", "unsupported", "unknown", "button_reply", "", "text ", ["text"]),
    "body": ("\u0000", "\ud800", " \u0000 ", "/help", "/reset\n", "x" * 70_000, "\u0301" * 5_000, "🇩🇪" * 3_000,
        "\u200b", {}, 7),
    "name": ("\u0000", "N" * 500, "\ud800" * 500, " \n ", {}, 7),
    "phone_number_id": ("100200300", "999", 100200300, "", "w" * 256, "a\u0000b", None, ["100200300"]),
    "object": ("page", "whatsapp_business_account\u0000", None, ["whatsapp_business_account"]),
}  # fmt: skip


def slots(node: Any) -> list[Slot]:
    """Return every place of a JSON value that holds a node, outermost first."""
    found: list[Slot] = []
    waiting = [node]
    while waiting:
        parent = waiting.pop()
        keys = list(parent) if isinstance(parent, dict) else range(len(parent)) if isinstance(parent, list) else ()
        for key in keys:
            found.append((parent, key))
            waiting.append(parent[key])
    return found


def literal(source: Random) -> str:
    """Return the mark of something that is put in as it stands."""
    return f"{LITERAL_MARK}{source.randrange(len(LITERALS))}{LITERAL_MARK}"


def mutate(node: Any, source: Random, splice: Callable[[Random], Any], *, literals: bool = True) -> Any:
    """Return a JSON value with one thing changed in it, in place. `splice` makes values to take nodes from.

    Without literals the result is what every JSON library would write.
    """
    places = slots(node)
    if not places:
        return source.choice(VALUES)
    parent, key = source.choice(places)
    if literals and source.random() < 0.06:
        parent[key] = literal(source)
    elif len(places) > LARGEST:
        _replace(parent, key, source, splice)
    else:
        source.choice(OPERATIONS)(parent, key, source, splice)
    return node


def _replace(parent: Any, key: Any, source: Random, splice: Callable[[Random], Any]) -> None:
    fitting = FITTING.get(key, ()) if isinstance(key, str) else ()
    parent[key] = _copy(source.choice(fitting if fitting and source.random() < 0.7 else VALUES))


def _delete(parent: Any, key: Any, source: Random, splice: Callable[[Random], Any]) -> None:
    del parent[key]


def _duplicate(parent: Any, key: Any, source: Random, splice: Callable[[Random], Any]) -> None:
    """Repeat an item of a list, a few times or many; give an object a second key of the same name."""
    if isinstance(parent, list):
        parent[key:key] = [_copy(parent[key]) for _ in range(source.choice((1, 1, 2, 40)))]
    else:
        parent[f"{key}{AGAIN_MARK}"] = _copy(source.choice((parent[key], source.choice(VALUES))))


def _retype(parent: Any, key: Any, source: Random, splice: Callable[[Random], Any]) -> None:
    """Keep what the node says in another type."""
    node = parent[key]
    if isinstance(node, dict):
        parent[key] = source.choice((list(node.values()), list(node), json.dumps(node)[:500]))
    elif isinstance(node, list):
        parent[key] = source.choice(({str(index): item for index, item in enumerate(node)}, json.dumps(node)[:500]))
    elif isinstance(node, str):
        parent[key] = source.choice(
            (int(node) if node.isascii() and node.isdecimal() and len(node) < 4_000 else 7, [node])
        )
    else:
        parent[key] = str(node)


def _nest(parent: Any, key: Any, source: Random, splice: Callable[[Random], Any]) -> None:
    node = parent[key]
    for _ in range(source.choice((1, 1, 2, 30))):
        node = source.choice(([node], {"value": node}))
    parent[key] = node


def _reorder(parent: Any, key: Any, source: Random, splice: Callable[[Random], Any]) -> None:
    """Shuffle the siblings; in an object, the values change places."""
    keys = list(parent) if isinstance(parent, dict) else list(range(len(parent)))
    values = [parent[name] for name in keys]
    source.shuffle(values)
    for name, node in zip(keys, values, strict=True):
        parent[name] = node


def _splice(parent: Any, key: Any, source: Random, splice: Callable[[Random], Any]) -> None:
    """Put a node of another payload here: one of the same name if it has one."""
    others = slots(splice(source))
    same = [place for place in others if place[1] == key] or others
    if same:
        other, name = source.choice(same)
        parent[key] = other[name]


OPERATIONS = (_replace, _replace, _replace, _delete, _duplicate, _retype, _nest, _reorder, _splice)


def _copy(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _copy(item) for key, item in node.items()}
    return [_copy(item) for item in node] if isinstance(node, list) else node


_LITERAL = re.compile(rb'"\\ue0f0(\d+)\\ue0f0"')
_AGAIN = json.dumps(AGAIN_MARK)[1:-1].encode()


def write(node: Any) -> bytes:
    """Return the JSON text of a value, with its literals and repeated keys."""
    written = json.dumps(node, separators=(",", ":")).encode().replace(_AGAIN, b"")
    return _LITERAL.sub(lambda match: LITERALS[int(match[1])], written)
