"""From the parser's tokens of a paragraph to lines of marked runs."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from markdown_it.token import Token

from bot.channels.rendering.document import Mark, Run

MARKS = {"strong": Mark.BOLD, "em": Mark.ITALIC, "s": Mark.STRIKE}


@dataclass(slots=True)
class _Inline:
    lines: list[list[Run]] = field(default_factory=lambda: [[]])
    # The marks that are open; None for one that was open already.
    marks: list[Mark | None] = field(default_factory=list)
    links: list[tuple[str, list[str]]] = field(default_factory=list)

    def add(self, text: str, *more: Mark) -> None:
        marks = (*(mark for mark in self.marks if mark), *more)
        for number, line in enumerate(text.split("\n")):
            if number:
                self.lines.append([])
            if line:
                self.lines[-1].append(Run(line, marks))
        for _, texts in self.links:
            texts.append(text)

    def open(self, mark: Mark) -> None:
        self.marks.append(None if mark in self.marks else mark)

    def end_link(self) -> None:
        """Put a link's URL after its text, unless that says it already."""
        url, texts = self.links.pop()
        text = "".join(texts)
        if not text.strip():
            self.add(url)
        elif url and url.removeprefix("mailto:").removeprefix("tel:") != text.strip() and url != text.strip():
            self.add(f" ({url})")


def lines_of(tokens: Sequence[Token], base: tuple[Mark, ...] = ()) -> list[tuple[Run, ...]]:
    """Return the lines of what the parser found in a paragraph, a heading or a cell; base: marks of all of it."""
    inline = _Inline(marks=list(base))
    for token in tokens:
        _take(inline, token)
    return [tuple(line) for line in inline.lines]


def _take(inline: _Inline, token: Token) -> None:
    name, _, side = token.type.rpartition("_")
    match token.type:
        case "softbreak" | "hardbreak":
            inline.add("\n")
        case "code_inline":
            inline.add(token.content, Mark.CODE)
        case "link_open":
            inline.links.append((str(token.attrs.get("href", "")), []))
        case "link_close":
            inline.end_link()
        case "image":
            alt, url = token.content.strip(), str(token.attrs.get("src", ""))
            inline.add(f"{alt} ({url})" if alt and url else alt or url)
        case _ if name in MARKS and side == "open":
            inline.open(MARKS[name])
        case _ if name in MARKS:
            inline.marks.pop()
        case _:
            inline.add(token.content)
