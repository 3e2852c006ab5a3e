"""Rules of inline Markdown besides CommonMark's: what models write and do not mean as emphasis stays as it is."""

import re
import unicodedata

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Delimiter

from bot.channels.rendering.document import is_spaced_letter

# (Bounded, so that thousands of opening marks cost no more than their number.)
_FORMULA = re.compile(
    r"\$\$.{1,1000}?\$\$"
    r"|\$(?![\s$])(?:(?!\*\*)[^$\n`]){1,300}(?<!\s)\$(?!\d)"
    r"|\\\(.{1,1000}?\\\)"
    r"|\\\[.{1,1000}?\\\](?!\()",
    re.DOTALL,
)
_URL_REST = re.compile(r"://(?:(?!\*\*|~~)[^\s<>\[\]`\"|\\\u0080-\U0010ffff])+")
# Names with a meaning in Python; other words between double underscores are bold.
_DUNDER = re.compile(
    r"__(?:init|main|name|file|str|repr|call|class|dict|doc|all|new|del|iter|next|enter|exit|len|eq|ne|lt|gt|le|ge"
    r"|hash|bool|add|sub|mul|contains|version|slots|module|annotations|future|path|package|pycache|post_init"
    r"|(?:get|set|del)(?:attr|attribute|item|state)?|a?enter|a?exit|a?iter|anext|await|init_subclass)__(?!\w)"
)


_BREAK = re.compile(r"<br */?>\n?", re.IGNORECASE)
# What ends a sentence or a clause in bold that the next word follows at once: "**Note:**this".
_ENDS_BOLD = frozenset(".,:;!?…)]}”’»")


def add_rules(parser: MarkdownIt) -> None:
    """Let a parser leave formulas, bare URLs and Python's names alone, and know emphasis in Chinese and in sums."""
    parser.inline.ruler.before("escape", "formula", _formula)
    parser.inline.ruler.before("newline", "bare_url", _bare_url)
    parser.inline.ruler.before("autolink", "line_break", _line_break)
    parser.inline.ruler.at("emphasis", _emphasis)


def _formula(state: StateInline, silent: bool) -> bool:
    if state.src[state.pos] not in "$\\":
        return False
    return _keep(state, _FORMULA.match(state.src, state.pos, state.posMax), silent)


def _keep(state: StateInline, match: re.Match[str] | None, silent: bool) -> bool:
    """Take what was matched as text, and return whether anything was."""
    if match is None:
        return False
    if not silent:
        state.append_pending(match.group())
    state.pos = match.end()
    return True


def _bare_url(state: StateInline, silent: bool) -> bool:
    if state.src[state.pos] != ":" or not state.src.endswith(("http", "https"), 0, state.pos):
        return False
    match = _URL_REST.match(state.src, state.pos, state.posMax)
    if match is None:
        return False
    # Marks after it are not its own.
    url = match.group().rstrip("*_~.,;:!?)'")
    if not silent:
        state.append_pending(url)
    state.pos += len(url)
    return True


def _line_break(state: StateInline, silent: bool) -> bool:
    """Take <br> for a line break, as tables have them, unless it stands between spaces: then somebody writes of it."""
    match = _BREAK.match(state.src, state.pos, state.posMax) if state.src[state.pos] == "<" else None
    if match is None:
        return False
    before, after = state.src[max(state.pos - 1, 0) : state.pos], state.src[match.end() : match.end() + 1]
    if before in ("", " ") and after in ("", " ") and not match.group().endswith("\n"):
        return False
    if not silent:
        state.push("hardbreak", "br", 0)
    state.pos = match.end()
    return True


def _emphasis(state: StateInline, silent: bool) -> bool:
    """Do as markdown-it's rule does, with our own answer to where emphasis may begin and end."""
    marker = state.src[state.pos]
    if silent or marker not in "*_":
        return False
    if marker == "_" and _keep(state, _DUNDER.match(state.src, state.pos, state.posMax), silent):
        return True
    end = state.pos
    while end < state.posMax and state.src[end] == marker:
        end += 1
    length = end - state.pos
    can_open, can_close = _sides(state, end, marker)
    for _ in range(length):
        token = state.push("text", "", 0)
        token.content = marker
        state.delimiters.append(Delimiter(ord(marker), length, len(state.tokens) - 1, -1, can_open, can_close))
    state.pos = end
    return True


def _sides(state: StateInline, end: int, marker: str) -> tuple[bool, bool]:
    """Return whether the marks from state.pos to end can begin, and can end, emphasis.

    As CommonMark has it ("flanking"), but for two things. Wide characters count as letters and as boundaries, or
    Chinese emphasis that ends with a full stop is none. Marks within a word, such as x**2 and a*b*c, are none.
    """
    before = state.src[state.pos - 1] if state.pos else " "
    after = state.src[end] if end < state.posMax else " "
    if is_spaced_letter(before) and is_spaced_letter(after):
        is_sum = end - state.pos == 1 or before.isdigit() or after.isdigit()
        if is_sum or marker == "_":
            return False, False
    if before == "/" and after in "./":
        # Names of files: src/**/*.py
        return False, False
    left = not after.isspace() and (not _is_mark(after) or before.isspace() or _is_mark(before) or _is_wide(before))
    right = not before.isspace() and (not _is_mark(before) or after.isspace() or _is_mark(after) or _is_wide(after))
    if marker == "*":
        return left, right or (end - state.pos > 1 and before in _ENDS_BOLD)
    return left and (not right or _is_mark(before)), right and (not left or _is_mark(after))


def _is_wide(char: str) -> bool:
    return not char.isascii() and unicodedata.east_asian_width(char) in "WF"


def _is_mark(char: str) -> bool:
    return unicodedata.category(char)[0] in "PS" and not _is_wide(char)
