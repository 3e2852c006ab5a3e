"""Read a CSV file of people, however a spreadsheet wrote it: encoding, delimiter, quotes, header. No database."""

import codecs
import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from config.db.batches import Progress
from users.phone import is_possible
from users.whitelist.columns import COLUMNS, BadHeader, BadLine, Layout, column_of, read_layout, read_row
from users.whitelist.rows import Notes, Row, canonical

MAX_BYTES = 20_000_000
MAX_LINES = 500_000
DELIMITERS = (",", ";", "\t")
# Lines as editors and the csv module count them; str.splitlines() also breaks at separators that stand inside a name.
LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
LINE_END = re.compile(rb"\r\n|\r|\n")
PROGRESS_EVERY = 1_000
# What Excel understands as a first line, and some programs write for it.
SEPARATOR = re.compile(r"\"?sep=([,;\t|])\"?[,;\t| ]*(?=[\r\n]|\Z)", re.IGNORECASE)


class BadFile(ValueError):
    """The file as a whole cannot be read. The message says where, why, and what would be right."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The people of a file, each once; with errors nothing of it may be applied."""

    rows: tuple[Row, ...]
    errors: Notes
    warnings: Notes


def read_people(data: bytes, progress: Progress | None = None) -> Reading:
    """Return what a CSV file asks for: at most 20 MB and 500,000 lines.

    Columns are phone_number, and as wanted name, whitelisted (yes), daily_budget_usd. Without a header the first is the
    number and the second the name.

    Raises:
        BadFile: it is empty, too large, in no encoding that decode() knows, or its first line is no header.
    """
    text, guessed = decode(data)
    if named := SEPARATOR.match(text):
        # The line's end stays, so that lines are counted as before.
        text = text[named.end() :]
    delimiter = named[1] if named else _delimiter(text)
    records = _records(text, delimiter)
    errors, warnings = Notes(), Notes()
    if guessed:
        warnings.add(guessed, _("this is no UTF-8: read as Windows-1252; please check the names"))
    layout, people = None, _People(errors, warnings)
    for line, cells in records:
        if isinstance(cells, csv.Error):
            errors.add(line, _broken(cells))
            break
        if _is_blank(cells):
            continue
        if layout is None:
            layout = _layout(line, cells, "," if delimiter == ";" else ".")
            if layout.has_header:
                continue
        people.add(layout, cells, line)
        if progress and people.count % PROGRESS_EVERY == 0:
            progress(people.count, None)
    if not people.count and not errors.count:
        raise BadFile(_("The file has a header and nobody below it.") if layout else _("The file is empty."))
    return Reading(tuple(people.rows.values()), errors, warnings)


def decode(data: bytes) -> tuple[str, int]:
    """Return the text of a file that is UTF-8, UTF-16 with a byte order mark, or Windows-1252, as Excel writes them.

    Windows-1252 is only what holds nothing of UTF-8, so that a damaged file is not taken for it. With it comes the
    first line that shows it, else 0: the encoding is a guess.

    Raises:
        BadFile: it is too large, or something else.
    """
    if len(data) > MAX_BYTES:
        reason = _("The file is larger than %(most)s MB. Please split it.")
        raise BadFile(reason % {"most": MAX_BYTES // 1_000_000})
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    encoding, guessed = "utf-16" if wide else "utf-8-sig", 0
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        try:
            if wide or not data.decode(errors="ignore").isascii():
                raise
            text, guessed = data.decode("cp1252"), _line_number(data[: error.start])
        except UnicodeDecodeError:
            raise BadFile(_undecodable(data, error, wide)) from None
    if "\0" in text:
        line = _line_of(text[: text.index("\0")].encode())
        reason = _("Line %(line)s holds a NUL character: this is no CSV file. Please save it as “CSV UTF-8”.")
        raise BadFile(reason % {"line": line})
    if max(text.count("\n"), text.count("\r")) > MAX_LINES:
        raise BadFile(_("The file has more than %(most)s lines. Please split it.") % {"most": f"{MAX_LINES:,}"})
    return text, guessed


class _People:
    """Collects the rows of a file by number, and finds the numbers that come again."""

    def __init__(self, errors: Notes, warnings: Notes) -> None:
        self.rows: dict[str, Row] = {}
        self.count = 0
        self.errors, self.warnings = errors, warnings

    def add(self, layout: Layout, cells: list[str], line: int) -> None:
        self.count += 1
        try:
            row = read_row(layout, cells, line)
        except BadLine as error:
            self.errors.add(line, str(error))
            return
        first = self.rows.setdefault(canonical(row.number), row)
        if first is row:
            if not is_possible(row.number):
                text = _("%(number)s does not look like a number that exists; please check it")
                self.warnings.add(line, text % {"number": row.number})
            return
        place = {"line": f"{first.line:,}"}
        if (first.name, first.whitelisted, first.budget_micros) == (row.name, row.whitelisted, row.budget_micros):
            self.warnings.add(line, _("the same as line %(line)s; ignored") % place)
        else:
            self.errors.add(line, _("the same phone number as in line %(line)s, with other details") % place)


def _records(text: str, delimiter: str) -> Iterator[tuple[int, list[str] | csv.Error]]:
    """Yield each record with the line it begins at; broken quotes end it with the error."""
    lines = (match.group() for match in LINE.finditer(text))
    # Strict: otherwise a quote that is not closed would silently swallow all the lines that follow.
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    line = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield line, error
            return
        yield line, cells
        line = reader.line_num + 1


def _is_blank(cells: list[str]) -> bool:
    # Spreadsheets write their empty lines as delimiters alone.
    return not any(cell.strip(",; \t\r\n") for cell in cells)


def _delimiter(text: str) -> str:
    """Return the delimiter that makes the most of the first line: known columns, else fields."""

    def found(delimiter: str) -> tuple[int, int]:
        for _line, cells in _records(text, delimiter):
            if isinstance(cells, csv.Error):
                break
            if not _is_blank(cells):
                return sum(column_of(cell) in COLUMNS for cell in cells), len(cells)
        return 0, 0

    return max(DELIMITERS, key=found)


def _layout(line: int, cells: list[str], decimal: str) -> Layout:
    try:
        return read_layout(cells, decimal)
    except BadHeader as error:
        raise BadFile(_("Line %(line)s: %(reason)s") % {"line": line, "reason": error}) from None


def _broken(error: csv.Error) -> str:
    if "field limit" in str(error):
        return _("a field is too long; is a closing quote missing? What follows was not read")
    return _("the quotes here cannot be read (%(reason)s); what follows was not read") % {"reason": error}


def _undecodable(data: bytes, error: UnicodeDecodeError, wide: bool) -> str:
    if wide:
        return _("The file begins as UTF-16 and is none at byte %(byte)s. Please save it as “CSV UTF-8”.") % {
            "byte": f"{error.start + 1:,}"
        }
    reason = _(
        "Line %(line)s is not UTF-8 (byte %(byte)s of the file is %(value)s). Please save the file as UTF-8; in Excel: "
        "Save as, “CSV UTF-8 (comma delimited)”."
    )
    # The codec counts from behind the byte order mark.
    start = error.start + (len(codecs.BOM_UTF8) if data.startswith(codecs.BOM_UTF8) else 0)
    return reason % {"line": _line_of(data[:start]), "byte": f"{start + 1:,}", "value": f"0x{data[start]:02X}"}


def _line_of(before: bytes) -> str:
    """Return the number of the line that begins or goes on after some bytes."""
    return f"{_line_number(before):,}"


def _line_number(before: bytes) -> int:
    return len(LINE_END.findall(before)) + 1
