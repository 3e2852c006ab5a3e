"""What became of every message: the one judgement all fault tests share.

Losses and doubles are counted where they would hurt: in the requests the Cloud API's stand-in received. Our own tables
only say which reply belongs to which message, and what we admit to (dead letters, expired, uncertain).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.tests.support.echoes import echoed_id
from bot.tests.support.processes import System

# Turns that end without a reply on purpose.
SILENT_CODES = ("RATE_LIMIT_EXCEEDED", "UNAUTHORIZED")


@dataclass(slots=True)
class Verdict:
    """What became of the messages that a webhook answered with 200, by external id; and what is left lying about.

    lost: no row, or ended without a reply that was taken. doubled: answered more than once. stuck: not at an end.
    disordered: "external id after external id" of one chat whose answers changed places. leases: still held.
    """

    answered: list[str] = field(default_factory=list)
    dead: list[str] = field(default_factory=list)
    expired: list[str] = field(default_factory=list)
    uncertain: list[str] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    disordered: list[str] = field(default_factory=list)
    leases: int = 0

    def check(self) -> None:
        """Fail with what is wrong, if anything is.

        Raises:
            AssertionError: something was lost, doubled, stuck or out of order, or a lease is held.
        """
        wrong = {
            name: getattr(self, name)
            for name in ("lost", "doubled", "stuck", "disordered", "leases")
            if getattr(self, name)
        }
        assert not wrong, f"{wrong} ({self.summary()})"

    def summary(self) -> str:
        """Return the counts in one line."""
        names = ("answered", "dead", "expired", "uncertain", "silent", "lost", "doubled", "stuck", "disordered")
        return ", ".join(f"{name} {len(getattr(self, name))}" for name in names) + f", leases {self.leases}"


def judge(system: System, accepted: Mapping[str, str]) -> Verdict:
    """Judge what became of the accepted messages: external id → text, each text one line and unlike the others."""
    inbound = {
        row[0]: row
        for row in system.rows("SELECT external_id, id, state, error_code, turn_key FROM bot_inboundmessage")
    }
    parts: dict[int, list[tuple[int, str]]] = defaultdict(list)
    verdict = Verdict()
    for outbound_id, turn_key, status in system.rows("SELECT id, turn_key, status FROM bot_outboundmessage"):
        parts[turn_key].append((outbound_id, status))
    sends = [request for request in system.sends_received() if may_have_been_taken(request)]
    taken = Counter(echoed_id(request["body"]) for request in sends)
    for external_id in accepted:
        row = inbound.get(external_id)
        _place(verdict, external_id, row, parts[row[4]] if row and row[4] is not None else [], taken)
    verdict.doubled += [f"outbound {id}" for id, times in taken.items() if times > 1]
    verdict.doubled += _answered_twice(accepted, sends)
    ended = {row[4] for row in inbound.values() if row[2] != "pending"}
    verdict.stuck += [
        f"outbound {id} is {status}"
        for key in ended
        for id, status in parts.get(key, [])
        if status in ("queued", "sending")
    ]
    verdict.disordered = _disordered(accepted, sends)
    verdict.leases = system.rows("SELECT COUNT(*) FROM bot_lease WHERE worker <> ''")[0][0]
    return verdict


def may_have_been_taken(request: Mapping[str, Any]) -> bool:
    """Return whether the person may have got what this request sent: accepted, or never readably answered."""
    if request["status"] is None or request["status"] == 200:
        return True
    # A gateway's refusal says nothing about what lies behind it; the API's own does.
    behaviour = request["behaviour"]
    return request["status"] >= 500 and "error" not in (behaviour.get("json") or {})


def _place(
    verdict: Verdict, external_id: str, row: tuple[Any, ...] | None, parts: list[tuple[int, str]], taken: Counter[int]
) -> None:
    if row is None:
        verdict.lost.append(external_id)
        return
    _, _, state, error_code, _ = row
    if state == "pending":
        verdict.stuck.append(external_id)
    elif state == "dead":
        verdict.dead.append(external_id)
    elif any(status == "uncertain" for _, status in parts):
        verdict.uncertain.append(external_id)
    elif any(status == "expired" for _, status in parts) or error_code == "WINDOW_EXPIRED":
        verdict.expired.append(external_id)
    elif not parts and error_code in SILENT_CODES:
        verdict.silent.append(external_id)
    elif parts and all(taken[outbound_id] for outbound_id, _ in parts):
        verdict.answered.append(external_id)
    else:
        verdict.lost.append(external_id)


def _lines(request: Mapping[str, Any]) -> list[str]:
    text: str = request["body"]["text"]["body"]
    return text.removeprefix("Echo: ").split("\n")


def _answered_twice(accepted: Mapping[str, str], sends: Iterable[Mapping[str, Any]]) -> list[str]:
    times = Counter(line for request in sends for line in _lines(request))
    return [external_id for external_id, text in accepted.items() if times[text] > 1]


def _disordered(accepted: Mapping[str, str], sends: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return where a chat's later message was answered before an earlier one; accepted is in the order of sending."""
    order = {text: number for number, text in enumerate(accepted.values())}
    latest: dict[str, tuple[int, str]] = {}
    found: list[str] = []
    for request in sends:
        chat = str(request["body"].get("to") or request["body"].get("recipient"))
        for line in _lines(request):
            if line not in order:
                continue
            number, before = latest.get(chat, (-1, ""))
            if order[line] < number:
                found.append(f"{line!r} after {before!r}")
            latest[chat] = (order[line], line)
    return found
