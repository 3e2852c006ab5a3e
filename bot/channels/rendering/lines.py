"""Write one line of a document in a dialect, and cut one that is too long."""

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile

from bot.channels.rendering.dialects import Dialect
from bot.channels.rendering.document import Line, Mark, Run, is_spaced_letter
from bot.text import hard_cut, split

_EDGES = re.compile(r"(\s*)(.*?)(\s*)", re.DOTALL)
# How far split() looks beyond its limit, at most.
_BEYOND = 64


def write(line: Line, dialect: Dialect) -> str:
    """Return a line with its marks, each ended within it; one of a code block without the fence."""
    prefix = "" if line.fence else dialect.quote * line.quotes + line.lead
    if not any(run.marks for run in line.runs):
        return prefix + dialect.escape(line.text)
    runs = _hug(line.runs)
    if dialect.between_words:
        runs = _only_between_words(runs)
    out = [prefix]
    open_marks: tuple[Mark, ...] = ()
    before = ""
    for run in (*runs, Run("")):
        kept = _common(open_marks, run.marks)
        out += [_sides(dialect, mark, before)[1] for mark in reversed(open_marks[len(kept) :])]
        out += [_sides(dialect, mark, run.text)[0] for mark in run.marks[len(kept) :]]
        out.append(dialect.escape(run.text))
        open_marks, before = run.marks, run.text
    return "".join(out)


def _sides(dialect: Dialect, mark: Mark, text: str) -> tuple[str, str]:
    """Return what stands before and after a mark's text. (Code with a backtick in it is a small code block.)"""
    if mark is Mark.CODE and "`" in text and dialect.marks[mark][0] == "`":
        return dialect.fence("")
    return dialect.marks[mark]


def _common(one: Sequence[Mark], other: Sequence[Mark]) -> tuple[Mark, ...]:
    """Return the marks that go on from one run to the next: code never does."""
    pairs = takewhile(lambda pair: pair[0] is pair[1] is not Mark.CODE, zip(one, other, strict=False))
    return tuple(mark for mark, _ in pairs)


def _hug(runs: Sequence[Run]) -> list[Run]:
    """Return runs whose marks begin and end at something that is seen: beside white space they do not count."""
    pieces: list[Run] = []
    for run in runs:
        match = _EDGES.fullmatch(run.text)
        edges = ("", run.text, "") if Mark.CODE in run.marks or match is None else match.groups()
        pieces += [Run(text, run.marks) for text in edges if text]
    after: list[tuple[Mark, ...]] = []
    marks: tuple[Mark, ...] = ()
    for piece in reversed(pieces):
        after.append(marks)
        marks = marks if _is_edge(piece) else piece.marks
    found: list[Run] = []
    marks = ()
    for piece, next_marks in zip(pieces, reversed(after), strict=True):
        kept = _common(_common(marks, next_marks), piece.marks)
        found.append(Run(piece.text, kept) if _is_edge(piece) else piece)
        marks = marks if _is_edge(piece) else piece.marks
    return found


def _is_edge(run: Run) -> bool:
    return Mark.CODE not in run.marks and run.text.isspace()


def _only_between_words(runs: list[Run]) -> list[Run]:
    """Return runs without the marks that begin or end within a word."""
    runs = list(runs)
    for mark in (Mark.BOLD, Mark.ITALIC, Mark.STRIKE):
        start = 0
        while start < len(runs):
            end = start
            while end < len(runs) and mark in runs[end].marks:
                end += 1
            before = runs[start - 1].text[-1:] if start else ""
            after = runs[end].text[:1] if end < len(runs) else ""
            if end > start and (is_spaced_letter(before or " ") or is_spaced_letter(after or " ")):
                for at in range(start, end):
                    runs[at] = replace(runs[at], marks=tuple(one for one in runs[at].marks if one is not mark))
            start = max(end, start + 1)
    return runs


def cut(line: Line, room: int, dialect: Dialect) -> tuple[Line, Line | None]:
    """Return a line's beginning that takes at most room characters when it is written, and its rest.

    Of text, white space at the cut is lost; of code, nothing. Where marks and quotes leave no room they are left out.
    """
    text = line.text
    if len(text) <= room and len(write(line, dialect)) <= room:
        return line, None
    start = 0 if line.fence else len(text) - len(text.lstrip())
    most = room
    while most > 0:
        end = start + _end(text[start : start + most + _BEYOND], most, line)
        head = replace(line, runs=_slice(line.runs, start, end))
        length = len(write(head, dialect))
        if length <= room:
            return head, _rest(line, end)
        most = min(most - 1, (end - start) * room // length)
    return cut(Line((Run(text),), fence=line.fence), max(room, 1), dialect)


def _end(text: str, limit: int, line: Line) -> int:
    """Return where to end the beginning of a text."""
    if len(text) <= limit:
        return len(text)
    return hard_cut(text, limit) if line.fence else len(split(text, limit)[0])


def _rest(line: Line, end: int) -> Line | None:
    text = line.text
    if not line.fence:
        end += len(text[end:]) - len(text[end:].lstrip())
    runs = _slice(line.runs, end, len(text))
    return replace(line, runs=runs, lead="") if runs else None


def _slice(runs: Sequence[Run], start: int, end: int) -> tuple[Run, ...]:
    """Return the runs of a line's text from start to end."""
    found, at = [], 0
    for run in runs:
        if at >= end:
            break
        text = run.text[max(start - at, 0) : max(end - at, 0)]
        if text:
            found.append(replace(run, text=text))
        at += len(run.text)
    return tuple(found)
