"""Timeline of a turn: the steps of `manage.py trace` in words, drawn to scale."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bot.history.costs import call_line
from bot.history.trace import Step
from bot.models import OutboundMessage

Status = OutboundMessage.Status
PROBLEMS = OutboundMessage.PROBLEMS
RECEIVED, BEGUN, MODEL, PAID, STORED = "received", "begun", "completion", "completion recorded", "reply stored"
WRITTEN, ENDED = "written by the person", "ended"
LABELS: dict[str, str | Promise] = {
    RECEIVED: gettext_lazy("Received"),
    BEGUN: gettext_lazy("Waited"),
    "claimed": gettext_lazy("Claimed"),
    "notice": gettext_lazy("Notice"),
    "access": gettext_lazy("Access"),
    "open_commands": gettext_lazy("Commands"),
    "join_by_code": gettext_lazy("Access"),
    "ask_for_access": gettext_lazy("Access"),
    "rate_limit": gettext_lazy("Rate limit"),
    "window": gettext_lazy("Reply window"),
    "commands": gettext_lazy("Commands"),
    "budget": gettext_lazy("Budget"),
    MODEL: gettext_lazy("Model"),
    PAID: gettext_lazy("Model, another try"),
    STORED: gettext_lazy("Stored"),
    Status.QUEUED: gettext_lazy("Waiting to be sent"),
    Status.SENDING: gettext_lazy("Sending"),
    Status.SENT: gettext_lazy("Sent"),
    Status.DELIVERED: gettext_lazy("Delivered"),
    Status.READ: gettext_lazy("Read"),
    Status.FAILED: gettext_lazy("Failed"),
    Status.UNCERTAIN: gettext_lazy("Uncertain"),
    Status.EXPIRED: gettext_lazy("Expired"),
    ENDED: gettext_lazy("Ended"),
}
# {step of a part: the step from which its duration counts}.
SINCE: dict[str, str] = {
    Status.DELIVERED: Status.SENT,
    **dict.fromkeys((Status.SENT, *PROBLEMS), Status.SENDING),
}
# Excluded from the scale: a delivery status that comes hours later would shrink everything else.
OFF_SCALE = (Status.DELIVERED, Status.READ, Status.EXPIRED, ENDED)


@dataclass(frozen=True, slots=True)
class Line:
    """One step: its description, end, and duration in words (empty for a moment).

    start, length: shares (0 to 1) of the time from the first step to the last one drawn to scale.
    """

    what: str
    at: datetime
    took: str = ""
    detail: str = ""
    problem: bool = False
    start: float = 0.0
    length: float = 0.0


def draw(steps: Sequence[Step]) -> list[Line]:
    """Return the steps of a trace as lines with their duration and position."""
    first = steps[0].at
    whole = max((step.at for step in steps if step.what not in OFF_SCALE), default=first) - first
    lines = []
    for step, since in _timed(steps):
        line = Line(
            what=_label(step, steps),
            at=step.at,
            detail=_detail(step),
            problem=step.what in (*PROBLEMS, ENDED),
        )
        began = step.at if since is None else since
        if since is not None:
            line = replace(line, took=lasted(step.at - since))
        if whole:
            start = min(max((began - first) / whole, 0.0), 1.0)
            end = min(max((step.at - first) / whole, 0.0), 1.0)
            line = replace(line, start=round(start, 4), length=round(end - start, 4))
        lines.append(line)
    return lines


def lasted(time: timedelta) -> str:
    """Return a duration in a suitable unit: < 1 ms, 12 ms, 1.25 s, 3 min, 2 h."""
    seconds = max(time.total_seconds(), 0.0)
    if seconds < 1:
        return f"{round(seconds * 1_000)} ms" if seconds >= 0.001 else "< 1 ms"
    if seconds < 120:
        return f"{number_format(seconds, decimal_pos=2)} s"
    return f"{round(seconds / 60)} min" if seconds < 7_200 else f"{round(seconds / 3_600)} h"


def worth_telling(steps: Sequence[Step]) -> Iterator[Step]:
    """Yield the steps worth showing: not the writing, which coincides with the reception, and not a good end."""
    of_parts = {step.facts["error_code"] for step in steps if "part" in step.facts and "error_code" in step.facts}
    for step in steps:
        nothing_new = step.what == ENDED and step.facts.get("error_code") in {None, *of_parts}
        if step.what != WRITTEN and not nothing_new:
            yield step


def _timed(steps: Sequence[Step]) -> Iterator[tuple[Step, datetime | None]]:
    """Yield each step with its beginning, None for a moment. A billed call is merged into its stage."""
    found = {(step.what, step.facts.get("part")): step.at for step in steps}
    call = _call_of_stage(steps)
    for place, step in enumerate(steps):
        if step is call:
            continue
        since: datetime | None = None
        if step.what == BEGUN and not _again(step, steps):
            since = found[RECEIVED, None]
        elif step.what == STORED and place:
            since = max((other.at for other in steps[:place] if "ms" in other.facts), default=None)
        elif "ms" in step.facts:
            since = step.at - timedelta(milliseconds=step.facts["ms"])
        elif step.what in SINCE:
            since = found.get((SINCE[step.what], step.facts["part"]))
        if step.what == MODEL and call is not None:
            step = replace(step, facts={**call.facts, **step.facts})
        yield step, since


def _call_of_stage(steps: Sequence[Step]) -> Step | None:
    """Return the call whose answer was stored: the last one since the stage began."""
    stages = [step for step in steps if step.what == MODEL]
    if not stages:
        return None
    began = stages[0].at - timedelta(milliseconds=stages[0].facts["ms"])
    calls = [step for step in steps if step.what == PAID and step.at >= began]
    return calls[-1] if calls else None


def _again(step: Step, steps: Sequence[Step]) -> bool:
    """Return whether a step is a new attempt with a reply that was stored before."""
    return step.what == BEGUN and any(other.what == STORED and other.at < step.at for other in steps)


def _label(step: Step, steps: Sequence[Step]) -> str:
    label = _("Taken up again") if _again(step, steps) else str(LABELS.get(step.what, step.what))
    parts = max((other.facts.get("part", 0) for other in steps), default=0)
    if parts < 2 or "part" not in step.facts:
        return label
    return _("%(step)s, part %(part)d") % {"step": label, "part": step.facts["part"]}


def _detail(step: Step) -> str:
    facts = step.facts
    told = []
    if "model" in facts:
        cost: Any = facts["cost_micros"]
        told.append(
            call_line(
                facts["model"], facts["input_tokens"], facts["output_tokens"], cost if isinstance(cost, int) else None
            )
        )
    if facts.get("attempt", 1) > 1:
        told.append(_("try %(number)d") % {"number": facts["attempt"]})
    return " · ".join([*told, *([facts["error_code"]] if "error_code" in facts else [])])


def summary(steps: Sequence[Step]) -> str:
    sent = [step.at for step in steps if step.what == Status.SENT]
    if not sent:
        return _("Not sent yet.")
    return _("Sent %(time)s after the message was received.") % {"time": lasted(max(sent) - steps[0].at)}
