"""Whether every person was answered, once, with what belongs to their message."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from benchmarks.databases import Database
from benchmarks.payloads import TEXT, address


def problems(
    people: range, completions: list[dict[str, Any]], sends: list[dict[str, Any]], database: Database | None = None
) -> list[str]:
    """Return what is wrong with the answers to one message of each person, as both stand-ins saw them."""
    expected = {address(person)[1:]: f"Echo: {person}: {TEXT}" for person in people}
    found = [
        *differing("person", expected, (request["body"]["to"] for request in sends)),
        *differing(
            "completion",
            {text.removeprefix("Echo: ") for text in expected.values()},
            (request["body"]["messages"][-1]["content"] for request in completions),
        ),
    ]
    wrong = sum(request["body"]["text"]["body"] != expected.get(request["body"]["to"]) for request in sends)
    if wrong:
        found.append(f"{wrong} sends carried another text than expected")
    if database is not None:
        left = database.count("bot_inboundmessage", "state <> 'done'")
        unsent = database.count("bot_outboundmessage", "status <> 'sent'")
        if left or unsent:
            found.append(
                f"the database still has {left} messages that are not done, {unsent} replies that are not sent"
            )
    return found


def differing(what: str, expected: Iterable[str], seen: Iterable[str]) -> list[str]:
    """Return what was expected once and was not seen once."""
    counts, wanted = Counter(seen), set(expected)
    missing, doubled = len(wanted - counts.keys()), sum(count > 1 for count in counts.values())
    unknown = len(counts.keys() - wanted)
    return (
        [f"{what}s: {missing} missing, {doubled} doubled, {unknown} unexpected"]
        if missing or doubled or unknown
        else []
    )
