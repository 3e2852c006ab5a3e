"""What a cell of the table is: who asks, what for, how it is answered, and what has changed by it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib.admin.models import LogEntry

from bot.tests.admin.roles.world import ROLES, World
from users.models import AuditEntry

Way = Callable[[Any, World], Any]
Watch = Callable[[World], Any]
CHANGED = "!"
# What is not there for somebody: the admin leads to its front page, or says 404 or 403.
GONE = ("302", "403", "404")


@dataclass(frozen=True)
class Row:
    """What is done to what, the answer to each role, and where something stands that it changes.

    answers: for nobody, user, admin and owner, such as "login login 403 302!". login: sent to the page to sign in;
    gone: as if it was not there; refused: any 4xx; "!": it is done, which the watched value tells. trace: what then
    says who did it: an action of the audit log, or "any" (that or the history of the admin); empty: it needs none.
    """

    object: str
    action: str
    way: Way
    watch: Watch
    answers: str
    trace: str = ""

    @property
    def name(self) -> str:
        """Return what the row is called."""
        return f"{self.object} / {self.action}"

    def expected(self, role: str) -> tuple[str, bool]:
        """Return the answer to a role, and whether it is done."""
        answer = self.answers.split()[ROLES.index(role)]
        return answer.rstrip(CHANGED), answer.endswith(CHANGED)


def cells(rows: list[Row]) -> Iterator[tuple[str, Row]]:
    """Yield every cell: a role and a row."""
    return ((role, row) for row in rows for role in ROLES)


def name_of(value: Any) -> str:
    """Return how pytest calls a role or a row."""
    return value.name if isinstance(value, Row) else str(value)


def answer_of(response: Any) -> str:
    """Return a response in short: its status, or login where it leads there."""
    leads = response.status_code == 302 and response["Location"].startswith("/admin/login/")
    return "login" if leads else str(response.status_code)


def fits(answer: str, expected: str) -> bool:
    """Return whether an answer is the expected one."""
    if expected == "gone":
        return answer in GONE
    if expected == "refused":
        return answer.startswith("4")
    return answer in expected.split("|")


def traces(person: Any) -> set[str]:
    """Return what the audit log and the history of the admin tell of somebody: each entry by its id and action."""
    audit = AuditEntry.objects.filter(actor=person).values_list("pk", "action")
    history = LogEntry.objects.filter(user=person).values_list("pk", flat=True)
    return {f"{pk}:{action}" for pk, action in audit} | {f"{pk}:history" for pk in history}


def is_traced(wanted: str, new: set[str]) -> bool:
    """Return whether the new entries are what is wanted."""
    actions = {one.partition(":")[2] for one in new}
    return bool(actions) if wanted == "any" else wanted in actions


def listed(wrong: dict[str, Any]) -> str:
    """Return the cells that are wrong, one on each line."""
    return "\n".join(f"{cell} → {fault}" for cell, fault in sorted(wrong.items()))
