"""What came of a run, and whether that is good enough."""

import re
import statistics
from dataclasses import asdict, dataclass, field
from typing import Any

from bot.errors import SENTENCES, ErrorCode
from bot.tests.support.echoes import echoed_id
from bot.tests.system.chaos.fleet import Fleet
from bot.tests.system.chaos.provider import Provider
from bot.tests.system.chaos.recovery import Recovery
from bot.tests.system.faults.ledger import Verdict, judge, may_have_been_taken

# A lease lives 30 s; the rest is for the next look at the queue.
SLOWEST_RECOVERY = 35.0
ERROR_CODES = "SELECT error_code, COUNT(*) FROM bot_inboundmessage WHERE error_code <> '' GROUP BY error_code"
APOLOGY = str(SENTENCES[ErrorCode.OPENAI_API_ERROR])
# granian's words for a process of its own that it had to kill: the code it ends with is 0 all the same.
FORCED = b"refused to gracefully stop"
GONE_OUT = ("sent", "delivered", "read")


@dataclass(slots=True)
class Figures:
    """Counts of one run; times in seconds. `wrong` lists each finding behind lost, doubled, stuck and disordered."""

    mode: str
    seed: int
    database: str = ""
    sent_in: int = 0
    repeated: int = 0
    answers: dict[str, int] = field(default_factory=dict)
    answered: int = 0
    apologies: int = 0
    error_codes: dict[str, int] = field(default_factory=dict)
    dead: int = 0
    expired: int = 0
    silent: int = 0
    uncertain: int = 0
    resolved: int = 0
    lost: int = 0
    doubled: int = 0
    stuck: int = 0
    disordered: int = 0
    leases: int = 0
    web_kills: int = 0
    worker_kills: int = 0
    outages: list[str] = field(default_factory=list)
    exits: list[str] = field(default_factory=list)
    fallen: list[str] = field(default_factory=list)
    proxy: str = ""
    forced: list[str] = field(default_factory=list)
    recovered: int = 0
    recovery_p50: float = 0.0
    recovery_max: float = 0.0
    load_seconds: float = 0.0
    settle_seconds: float = 0.0
    wrong: dict[str, list[str]] = field(default_factory=dict)

    def problems(self) -> list[str]:
        """Return what breaks a promise."""
        found = [f"{name}: {', '.join(items[:20])}" for name, items in self.wrong.items() if items]
        if self.leases:
            found.append(f"leases: {self.leases} still held")
        if self.recovery_max > SLOWEST_RECOVERY:
            found.append(f"recovery: {self.recovery_max} s")
        found += [f"exit: {line}" for line in self.exits if not line.endswith(" 0")]
        if self.mode == "rolling":
            bad = set(self.answers) - {"200"} if self.proxy else {one for one in self.answers if one.startswith("4")}
            refused = {answer: self.answers[answer] for answer in sorted(bad)}
            found += [f"answer: {times} × {answer}" for answer, times in refused.items()]
            found += [f"fallen: {line}" for line in self.fallen]
        return found

    def as_json(self) -> dict[str, Any]:
        """Return everything, for a file."""
        return asdict(self)


def judged(figures: Figures, fleet: Fleet, provider: Provider, recovery: Recovery) -> Figures:
    """Fill in what became of every message."""
    verdict = judge(fleet, provider.accepted)
    verdict.disordered += turns_disordered(fleet)
    figures.sent_in, figures.repeated = len(provider.accepted), provider.repeated
    figures.answers = dict(sorted(provider.answers.items()))
    for name in ("answered", "dead", "expired", "silent", "uncertain", "lost", "doubled", "stuck", "disordered"):
        setattr(figures, name, len(getattr(verdict, name)))
    figures.leases = verdict.leases
    figures.wrong = findings(verdict)
    figures.error_codes = dict(fleet.rows(ERROR_CODES))
    figures.apologies = sum(send["text"]["body"] == APOLOGY for send in fleet.sends())
    figures.resolved = resolved(fleet)
    figures.forced = [log.name for log in sorted(fleet.folder.glob("web-*.log")) if FORCED in log.read_bytes()]
    figures.recovered = len(recovery.took)
    if recovery.took:
        figures.recovery_p50 = round(statistics.median(recovery.took), 1)
        figures.recovery_max = round(max(recovery.took), 1)
    return figures


def findings(verdict: Verdict) -> dict[str, list[str]]:
    """Return what breaks a promise, each with its name."""
    return {name: getattr(verdict, name) for name in ("lost", "doubled", "stuck", "disordered")}


def turns_disordered(fleet: Fleet) -> list[str]:
    """Return where a chat's later turn was sent before an earlier one, whatever its reply said (an apology, say).

    A part whose reply went on only after a status had told of an uncertain part before it may come late.
    """
    parts = {id: (turn, part) for id, turn, part in fleet.rows("SELECT id, turn_key, part FROM bot_outboundmessage")}
    held_back = {turn for turn, _ in uncertain_sends(fleet)}
    latest: dict[str, int] = {}
    found: list[str] = []
    for request in fleet.sends_received():
        turn, part = parts[echoed_id(request["body"])]
        if not may_have_been_taken(request) or (part > 1 and turn in held_back):
            continue
        before = latest.setdefault(request["body"]["to"], turn)
        if turn < before:
            found.append(f"turn {turn} after turn {before}")
        latest[request["body"]["to"]] = turn
    return found


def uncertain_sends(fleet: Fleet) -> set[tuple[int, int]]:
    """Return (turn, part's id) of every send that was uncertain, by the workers' own words."""
    said = "".join(log.read_text(errors="replace") for log in fleet.folder.glob("worker-*.log"))
    return {(int(turn), int(id)) for turn, id in re.findall(r"send_uncertain turn_id=(\d+) .*?outbound_id=(\d+)", said)}


def resolved(fleet: Fleet) -> int:
    """Return how many sends were uncertain and are no longer: a status told."""
    now = dict(fleet.rows("SELECT id, status FROM bot_outboundmessage"))
    return sum(now.get(id) in GONE_OUT for _, id in uncertain_sends(fleet))
