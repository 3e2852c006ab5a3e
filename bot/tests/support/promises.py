# ruff: noqa: E501 (Each promise stands on one line.)
"""What Parley promises, and which tests say that they show it: the table in docs/reliability.md.

A test module says it with `pytest.mark.promise(<name>, <what of it, if not plain>)`, for all its tests or for some.
`python -m bot.tests.support.promises` writes the table.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[3]
DOC = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- promises: written by bot/tests/support/promises.py -->\n", "<!-- end of promises -->\n"
HEAD = "| promise | tests | shown on |\n|---|---|---|\n"


class Promise(NamedTuple):
    """A sentence, and the databases it was shown on."""

    text: str
    shown_on: str = "SQLite, PostgreSQL"


# fmt: off
PROMISES = {
    "receipt": Promise("200 is answered only after the event is committed; nothing slow comes before it"),
    "away": Promise("Database down, hung, read-only, full or locked: 503, nothing half-written; it recovers by itself"),
    "too large": Promise("A body over the cap gets 413, one of 3 MB is taken"),
    "batch": Promise("Of a batch with a malformed item the others count; what is unknown gets 200 and no reply"),
    "once": Promise("50 deliveries at once, or one again after 7 days: one row, one model call, one reply"),
    "kill -9": Promise("kill -9 anywhere: every message is answered; after the completion was stored the same text goes out, without a second call"),
    "uncertain": Promise("A send that was requested and not answered is uncertain, never resent; a status resolves it; a refused connection is retried"),
    "one turn": Promise("One turn at a time for each chat, in order; other chats are not held up; part 2 after part 1 was accepted"),
    "burst": Promise("A burst while a turn runs is one further turn"),
    "statuses": Promise("A delivery status never moves backward, in any order, also before our own record"),
    "window": Promise("The window for replies is checked at the moment of sending; closed: expired, not sent"),
    "budgets": Promise("Daily budgets hold under parallel turns: reserved before the call, settled after; the check fails closed"),
    "bounds": Promise("What is reserved is never less than what is billed, in any script: 60 people at once keep to $0.50, and use it"),
    "shared budgets": Promise("The budgets of a bot and of everybody hold over several workers; a killed worker leaves no reservation behind"),
    "totals": Promise("What was billed is recorded once, and is what budgets count, for person, bot and everybody"),
    "access": Promise("Who is added or removed is so at the next message, in processes that run on"),
    "invites": Promise("An invite lets in no more than it is good for, also at once and over a crash"),
    "invite codes": Promise("An invite's code is in no table, session, log or page after it was shown; who may not make an invite sees nothing of it"),
    "purge": Promise("What is due is purged and nothing else, to the second, in every table; a dry run changes nothing; a part that fails keeps no other from it; after days without a scheduler once"),
    "folding": Promise("Totals of everybody stay when old usage is purged: ended at any statement, several purges at once, days of any zone"),
    "import": Promise("An import changes everything or nothing"),
    "notices": Promise("An owner is told once for each occasion"),
    "errors": Promise("A request that fails is answered as JSON (machines) or with a page (people), logged once, reported once, with its id; 503 while the database is away"),
    "languages": Promise("Each bot speaks its own language, also several at once in one worker; catalogues are complete and compiled"),
    "sign-ins": Promise("Sign-ins are throttled by account and address, also many at once and without Redis; the same for numbers nobody has"),
    "probes": Promise("`/healthz` within 50 ms and `/readyz` within 2 s, 50 requests each, with PostgreSQL, Redis and the model stopped by SIGSTOP and 1,000 webhooks hanging; these are refused soon, and stored once afterwards", "PostgreSQL and Redis of the test's own"),
    "crowds": Promise("Nobody takes the service from others by being slow, many or large: silent and dripping heads and bodies, idle connections, 300 MB from a stranger (nothing reaches the disk), clients that never read, floods of sign-ins, imports; connections, memory and files come back"),
    "framing": Promise("Framing, odd methods, paths, headers and hosts mean the same to the front as to the pages; nothing is smuggled past it"),
    "parts": Promise("Without the pages webhooks are taken; pages and the child that parses large deliveries come back after a kill"),
    "proxies": Promise("The documented proxies pass on deliveries and the client's address, and keep away what is too large"),
    "canaries": Promise("Nothing personal and no secret leaves through logs, error reports, task tables, health or metrics"),
    "log": Promise("The log tells a message's whole story by its turn, request or chat; a fault that repeats is a few lines and a count"),
    "counters": Promise("Counters are the sum of all processes; a process that dies loses two seconds of them"),
    "owners": Promise("There is always an owner"),
    "deadline": Promise("Every turn ends by a deadline, whatever the model does; the person gets one sentence"),
    "dead letters": Promise("A message that fails for good is a dead letter with its reason, blocks nobody, and can be replayed, once"),
    "pause": Promise("A refused token pauses the bot with one alert; nothing is lost"),
    "redis": Promise("Redis stopped, flushed or hung: messages are answered, limits are counted in each process, it is logged once"),
    "shutdown": Promise("SIGTERM: no new claims, turns finish, the rest is given back, database before Redis, exit 0; also with a hung database"),
    "connections": Promise("Connections killed in the middle of a transaction, a server that hangs, a commit whose answer is lost: time-outs, reconnect, no stuck lease", "PostgreSQL (SQLite has no server)"),
    "hostile": Promise("Hostile signed payloads: 4xx or quarantine, never a 5xx, never a stuck row"),
}
# fmt: on


class Shown(NamedTuple):
    """What a mark says: a module shows a promise, and what of it."""

    promise: str
    module: str
    note: str


def shown() -> Iterator[Shown]:
    """Read every mark, module by module."""
    for app in ("bot", "users", "usage", "conversations", "config"):
        for path in sorted((ROOT / app).glob("**/test_*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.promise":
                    promise, *note = [ast.literal_eval(argument) for argument in node.args]
                    yield Shown(promise, str(path.relative_to(ROOT)), *(note or [""]))


def table() -> str:
    """Return the table of promises and their tests, between its marks."""
    tests: dict[str, dict[str, list[str]]] = {name: {} for name in PROMISES}
    for mark in shown():
        tests[mark.promise].setdefault(f"`{mark.module.removeprefix('bot/tests/')}`", []).append(mark.note)
    lines = []
    for name, promise in PROMISES.items():
        cells = [f"{test} ({'; '.join(notes)})" if any(notes) else test for test, notes in tests[name].items()]
        lines.append(f"| {promise.text} | {', '.join(cells)} | {promise.shown_on} |\n")
    return BEGIN + HEAD + "".join(lines) + END


def written(document: str) -> str:
    """Return the document with the table as it is now."""
    before, _, rest = document.partition(BEGIN)
    return before + table() + rest.partition(END)[2]


if __name__ == "__main__":
    DOC.write_text(written(DOC.read_text(encoding="utf-8")), encoding="utf-8")
