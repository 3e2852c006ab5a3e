"""Pack the lines of a document into parts that a channel accepts."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.channels.rendering.dialects import Dialect
from bot.channels.rendering.document import Block, Line
from bot.channels.rendering.lines import cut, write


@dataclass(frozen=True, slots=True)
class _Written:
    """A line as it goes out, and whether it is a block's first."""

    line: Line
    text: str = field(repr=False)
    begins_block: bool = False


def pack(blocks: Sequence[Block], dialect: Dialect, limit: int) -> list[str]:
    """Return a document in parts of at most limit characters, each at least half full but the last.

    Raises:
        ValueError: a fence alone is longer than a part.
    """
    rest = [
        _written(line, dialect, limit, begins_block=number == 0)
        for block in blocks
        for number, line in enumerate(block)
    ]
    parts: list[str] = []
    while rest:
        lengths = _lengths(rest, dialect, limit)
        taken = len(lengths)
        if taken < len(rest):
            taken = _whole_lines(rest, lengths, limit)
            if not taken:
                taken = len(lengths) + 1
                rest[len(lengths) : taken] = _cut_next(rest, lengths, dialect, limit)
        part = _assemble(rest[:taken], dialect)
        if part.strip():
            parts.append(part)
        rest = rest[taken:]
    return parts


def _whole_lines(rest: Sequence[_Written], lengths: Sequence[int], limit: int) -> int:
    """Return how many lines make a part: up to the last block that ends in its second half, else up to the last line.

    0: they would fill less than half of it, and the next line has to be cut.
    """
    enough = [number for number, length in enumerate(lengths, start=1) if length >= limit // 2]
    between_blocks = [number for number in enough if rest[number].begins_block]
    return (between_blocks or enough or [0])[-1]


def _cut_next(rest: Sequence[_Written], lengths: Sequence[int], dialect: Dialect, limit: int) -> list[_Written]:
    """Return the line after those that fit, in two: its beginning fits as well."""
    after = rest[len(lengths)]
    before = rest[len(lengths) - 1].line if lengths else None
    room = limit - (lengths[-1] if lengths else 0) - _around(before, after, dialect)
    if room < 1:
        raise ValueError("a fence is longer than a part")
    head, tail = cut(after.line, room, dialect)
    halves = [_Written(head, write(head, dialect), after.begins_block)]
    return halves if tail is None else [*halves, _written(tail, dialect, limit)]


def _written(line: Line, dialect: Dialect, limit: int, *, begins_block: bool = False) -> _Written:
    """Write a line. (One that has to be cut anyway is written when it is.)"""
    text = line.text
    return _Written(line, text if len(text) > limit else write(line, dialect), begins_block)


def _lengths(rest: Sequence[_Written], dialect: Dialect, limit: int) -> list[int]:
    """Return how long a part is with one line, with two, and so on, up to its limit; fences are counted as closed."""
    lengths: list[int] = []
    length, before = 0, None
    for written in rest:
        length += _around(before, written, dialect) + len(written.text)
        if length > limit:
            break
        lengths.append(length)
        before = written.line
    return lengths


def _around(before: Line | None, written: _Written, dialect: Dialect) -> int:
    """Return how many characters stand around a line: line breaks before it, and a fence that it opens."""
    length = len(_break(before, written))
    fence = written.line.fence
    if fence and (before is None or before.fence is not fence):
        opening, closing = dialect.fence(fence.language)
        length += len(opening) + 1 + len(closing) + 1
    return length


def _break(before: Line | None, written: _Written) -> str:
    if before is None:
        return ""
    return "\n\n" if written.begins_block else "\n"


def _assemble(lines: Sequence[_Written], dialect: Dialect) -> str:
    out: list[str] = []
    before: Line | None = None
    for written in lines:
        opened, fence = before.fence if before else None, written.line.fence
        if opened and opened is not fence:
            out += ["\n", dialect.fence(opened.language)[1]]
        out.append(_break(before, written))
        if fence and opened is not fence:
            out += [dialect.fence(fence.language)[0], "\n"]
        out.append(written.text)
        before = written.line
    if before and before.fence:
        out += ["\n", dialect.fence(before.fence.language)[1]]
    return "".join(out)
