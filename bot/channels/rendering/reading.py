"""Read Markdown into a document, with markdown-it-py."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.rules_block.table import escapedSplit
from markdown_it.token import Token

from bot.channels.rendering.document import Block, Fence, Line, Mark, Run
from bot.channels.rendering.inline import lines_of
from bot.channels.rendering.rules import add_rules

RULE = "———"
BETWEEN_CELLS = Run(" | ")
BETWEEN_LINES = Run(" / ")
# A longer info string is no language; it becomes the first line of the code.
_LONGEST_LANGUAGE = 40
# What is nested deeper the parser leaves out. Its recursion goes on as deep for brackets, whose time grows with it.
_DEEPEST = 40


@cache
def _parser() -> MarkdownIt:
    # (html: False: it is shown as text.)
    options = {"html": False, "maxNesting": _DEEPEST}
    parser = MarkdownIt("commonmark", options).enable(["table", "strikethrough"])
    # Definitions of links stay as lines: without a use they would be lost.
    parser.disable("reference")
    add_rules(parser)
    # URLs go out as they were written.
    parser.normalizeLink = parser.normalizeLinkText = str  # type: ignore[method-assign, assignment]
    return parser


def read(markdown: str) -> list[Block]:
    """Return the blocks of a Markdown text, with empty lines between them where it has some.

    Raises:
        RecursionError: it is nested too deep.
    """
    reader = _Reader(markdown.split("\n"))
    for token in _parser().parse(markdown):
        if token.level >= _DEEPEST - 2:
            raise RecursionError("the Markdown is nested too deep")
        if step := _STEPS.get(token.type):
            step(reader, token)
    return reader.blocks


@dataclass(slots=True)
class _List:
    """An open list: the number of its next item (None: it has no numbers), and how wide the last marker was."""

    number: int | None
    width: int = 0


@dataclass(slots=True)
class _Reader:
    """Gathers blocks while it goes through the parser's tokens."""

    source: list[str]
    blocks: list[Block] = field(default_factory=list)
    lists: list[_List] = field(default_factory=list)
    marker: str = ""
    quotes: int = 0
    base: tuple[Mark, ...] = ()
    # Lines of the source: where the block at hand begins and ends, and where the last one ended.
    began: int = 0
    ends: int = 0
    ended: int = -1
    cells: list[tuple[Run, ...]] | None = None

    def begin(self, token: Token) -> None:
        """Note where a block begins and ends."""
        if token.map:
            self.began, self.ends = token.map

    def begin_heading(self, token: Token) -> None:
        """Begin a line that is bold."""
        self.begin(token)
        self.base = (Mark.BOLD,)

    def end_heading(self, token: Token) -> None:
        """End it."""
        self.base = ()

    def quote(self, token: Token) -> None:
        """Begin or end a quote."""
        self.quotes += token.nesting

    def begin_list(self, token: Token) -> None:
        """Begin a list, within an item of another perhaps."""
        ordered = token.type == "ordered_list_open"
        self.lists.append(_List(int(token.attrs.get("start", 1)) if ordered else None))

    def end_list(self, token: Token) -> None:
        """End it."""
        self.lists.pop()

    def begin_item(self, token: Token) -> None:
        """Begin an item: its marker stands before its first line."""
        self.flush_marker()
        self.begin(token)
        current = self.lists[-1]
        if current.number is None:
            self.marker = "- "
        else:
            self.marker = f"{current.number}{token.markup} "
            current.number += 1
        current.width = len(self.marker)

    def flush_marker(self, token: Token | None = None) -> None:
        """Give a marker without anything after it a line of its own."""
        if self.marker:
            marker, self.marker = self.marker, ""
            self.add([Line((Run(marker.rstrip()),), self.indentation(1), self.quotes)])

    def indentation(self, without: int = 0) -> str:
        """Return the spaces before a line within the lists that are open, but for the innermost ones."""
        return " " * sum(one.width for one in self.lists[: len(self.lists) - without])

    def inline(self, token: Token) -> None:
        """Add the lines of a paragraph or heading, or keep a cell's text."""
        found = lines_of(token.children or [], self.base)
        if self.cells is not None:
            filled = [runs for runs in found if runs]
            self.cells.append(tuple(run for runs in filled for run in (BETWEEN_LINES, *runs))[1:])
            return
        lines = []
        for runs in found:
            lead = self.indentation(1) + self.marker if self.marker else self.indentation()
            self.marker = ""
            lines.append(Line(runs, lead, self.quotes))
        if token.content:
            self.add(lines)

    def code(self, token: Token) -> None:
        """Add a code block. (It is not indented: the channel's fences stand at the beginning of a line.)"""
        self.flush_marker()
        self.begin(token)
        info, content = token.info.strip(), token.content.removesuffix("\n").split("\n")
        if len(info) > _LONGEST_LANGUAGE or "`" in info:
            info, content = "", [info, *content]
        fence = Fence(info)
        self.add([Line((Run(text),), fence=fence) for text in content])

    def rule(self, token: Token) -> None:
        """Add a thematic break."""
        self.flush_marker()
        self.begin(token)
        self.add([Line((Run(RULE),), quotes=self.quotes)])

    def begin_row(self, token: Token) -> None:
        """Begin a row of a table."""
        self.flush_marker()
        self.begin(token)
        self.cells = []

    def begin_header_cell(self, token: Token) -> None:
        """Begin a cell that is bold."""
        self.base = (Mark.BOLD,)

    def end_row(self, token: Token) -> None:
        """Add a row as a line, with the cells that the table's header has no column for, too."""
        cells, self.cells = self.cells or [], None
        if self.base:
            # The line of dashes below the header belongs to it.
            self.base, self.ends = (), self.ends + 1
        else:
            written = escapedSplit(self.source[self.began].strip(" \t>").strip("|"))
            cells += [(Run(cell.strip()),) for cell in written[len(cells) :]]
        while cells and not cells[-1]:
            cells.pop()
        runs: list[Run] = []
        for number, cell in enumerate(cells):
            runs += (BETWEEN_CELLS, *cell) if number else cell
        self.add([Line(tuple(runs), self.indentation(), self.quotes)])

    def add(self, lines: Block) -> None:
        """Add lines: to the last block, if no empty line is between them in the source, else as one of their own."""
        if self.blocks and self.began <= self.ended:
            self.blocks[-1].extend(lines)
        else:
            self.blocks.append(lines)
        self.ended = max(self.ended, self.ends)


_STEPS: dict[str, Callable[[_Reader, Token], None]] = {
    "paragraph_open": _Reader.begin,
    "heading_open": _Reader.begin_heading,
    "heading_close": _Reader.end_heading,
    "blockquote_open": _Reader.quote,
    "blockquote_close": _Reader.quote,
    "bullet_list_open": _Reader.begin_list,
    "ordered_list_open": _Reader.begin_list,
    "bullet_list_close": _Reader.end_list,
    "ordered_list_close": _Reader.end_list,
    "list_item_open": _Reader.begin_item,
    "list_item_close": _Reader.flush_marker,
    "inline": _Reader.inline,
    "fence": _Reader.code,
    "code_block": _Reader.code,
    "hr": _Reader.rule,
    "tr_open": _Reader.begin_row,
    "th_open": _Reader.begin_header_cell,
    "tr_close": _Reader.end_row,
}
