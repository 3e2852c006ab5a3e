import codecs
import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from users.tests.whitelist.reading_files import people
from users.whitelist import reading, rows
from users.whitelist.reading import BadFile, read_people
from users.whitelist.rows import Row

GERMAN = "+491711234567"


# The same examples in every run.
BOUNDED = settings(derandomize=True, deadline=None, database=None, max_examples=200)
DANA = Row(2, GERMAN, "Däna")


def errors(text):
    return [str(note) for note in people(text).errors.first]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize(
    "encode",
    [
        str.encode,
        lambda text: codecs.BOM_UTF8 + text.encode(),
        lambda text: text.encode("utf-16"),
        lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
    ],
    ids=["utf-8", "utf-8 with bom", "utf-16-le", "utf-16-be"],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_file_is_read_however_a_spreadsheet_wrote_it(delimiter, encode, end):
    lines = ["phone_number,name", '+49 (0)171 1234567,"Däna"', ",", "", "0049 171 7654321,", ""]
    result = read_people(encode(end.join(lines).replace(",", delimiter)))
    assert result.rows == (DANA, Row(5, "+491717654321"))
    assert not result.errors.count and not result.warnings.count


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("+49 171 1234567", (Row(1, GERMAN),)),
        ("\n\n491711234567\n+15551234567\n", (Row(3, GERMAN), Row(4, "+15551234567"))),
        ("+49 171 1234567;Däna\n", (Row(1, GERMAN, "Däna"),)),
        ("(+49) 171/123.4567\tDäna\n", (Row(1, GERMAN, "Däna"),)),
    ],
)
def test_without_a_header_the_first_column_is_the_number_and_the_second_the_name(text, rows):
    assert people(text).rows == rows


def test_without_a_header_a_wrong_first_number_is_an_error_of_its_line():
    assert "line 1: The number starts with 0 and has no country code" in errors("0171 1234567,Dana\n")[0]
    assert "digits may be lost" in errors("4.91712E+11,Dana\n")[0]
    assert "3 fields and only 2 columns" in errors(f"{GERMAN},Dana,yes\n")[0]


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "The file is empty."),
        (b"\n \n,,\n", "The file is empty."),
        (codecs.BOM_UTF8, "The file is empty."),
        (b"phone_number,name\n\n", "has a header and nobody below it"),
        (b"name\nDana\n", "column phone_number is missing"),
        (b"Our customers\n", "is no header. Expected: phone_number,name,whitelisted,daily_budget_usd"),
        (
            b"\nphone,name,city,mail\n1\n",
            "Line 2: Unknown columns: 'city', 'mail'. Known: phone_number, name, whitelisted",
        ),
        (b"phone_number,role\n+491711234567,owner\n", "Roles are not handed out by a file."),
        (b"phone,number\n", "The column phone_number is there twice."),
        (b"phone_number,,name\n", "Unknown columns: ''"),
        (
            b"phone,name\n+15551234567,D\xc3\xa4na\n+491711234567,D\xe4na\n",
            r"Line 3 is not UTF-8 (byte 46 of the file is 0xE4)",
        ),
        (
            b"phone,name\n+15551234567,D\x81na\n",
            r"Line 2 is not UTF-8 (byte 26 of the file is 0x81)",
        ),
        (codecs.BOM_UTF8 + b"phone\r\xff", r"Line 2 is not UTF-8 (byte 10 of the file is 0xFF)"),
        (codecs.BOM_UTF16_LE + b"p\0h\0\x00\xd8", "begins as UTF-16 and is none"),
        ("phone\n+4917".encode("utf-16-le"), "Line 1 holds a NUL"),
        (b"phone\n+49171\x001234567\n", "Line 2 holds a NUL"),
        (codecs.BOM_UTF32_LE + "phone".encode("utf-32-le"), "holds a NUL"),
        (b"\x89PNG\r\n\x1a\n", "The first line is no header."),
        (b"PK\x03\x04\x14\x00\x06\x00", "holds a NUL"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_the_reason(data, complaint):
    with pytest.raises(BadFile) as refused:
        read_people(data)
    assert complaint in str(refused.value)


def test_a_file_in_another_encoding_is_told_how_to_save_it():
    with pytest.raises(BadFile, match="in Excel: Save as, “CSV UTF-8"):
        read_people(b"phone,name\n+491711234567,J\x9drgen\n")


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_file_of_windows_1252_is_read_as_excel_writes_it(end):
    lines = [
        "Telefon;Name;whitelisted;daily_budget_usd",
        f"{GERMAN};Jürgen “Jü” Weiß;ja;0,50",
        "+15551234567;Zoë €;nein;1",
    ]
    result = read_people(end.join(lines).encode("cp1252"))
    assert [str(note) for note in result.warnings.first] == [
        "line 2: this is no UTF-8: read as Windows-1252; please check the names"
    ]
    assert result.rows == (
        Row(2, GERMAN, "Jürgen “Jü” Weiß", True, 500_000),
        Row(3, "+15551234567", "Zoë €", False, 1_000_000),
    )


@pytest.mark.parametrize("first", ["sep=;", "SEP=;", '"sep=;"', "sep=;;;"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_first_line_may_name_the_delimiter(first, encoding, end):
    result = read_people(end.join([first, "phone;name", f'{GERMAN};"Däna, Dr."', "12;Eve"]).encode(encoding))
    assert result.rows == (Row(3, GERMAN, "Däna, Dr."),)
    assert [note.line for note in result.errors.first] == [4]


def test_a_named_delimiter_is_believed_and_not_guessed():
    assert people(f"sep=|\nphone|name\n{GERMAN}|Dana, Ray; Eve\n").rows == (Row(3, GERMAN, "Dana, Ray; Eve"),)
    with pytest.raises(BadFile, match="empty"):
        people("sep=;\n")


def test_all_that_is_wrong_with_a_line_is_said_at_once():
    (error,) = errors("phone,whitelisted,daily_budget_usd\n12,maybe,much\n")
    assert error.startswith("line 2: A phone number has 4 to 15 digits")
    assert "; whitelisted must be" in error and "; daily_budget_usd must be" in error


def test_lines_are_counted_as_an_editor_shows_them():
    text = f'phone,name\r\n{GERMAN},"Da\r\nna\nRay"\r\n\r\n12,Eve\u2028\x0b\x85\n13,Eve\n'
    result = people(text)
    assert result.rows[0] == Row(2, GERMAN, "Da na Ray")
    assert [note.line for note in result.errors.first] == [6, 7]


def test_an_open_quote_does_not_swallow_the_lines_below_it():
    result = people(f'phone,name\n{GERMAN},"Dana\n+15551234567,Eve\n')
    assert result.rows == ()
    assert [note.line for note in result.errors.first] == [2]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (GERMAN, "0049 171 1234567"),
        ("+5531987654321", "+55 31 8765-4321"),
        ("+525512345678", "+5215512345678"),
        ("+5491123456789", "+541123456789"),
    ],
)
def test_a_number_that_comes_again_in_any_spelling_is_noticed(first, second):
    same = people(f"phone,name\n{first},Dana\n+15551234567,Eve\n{second},Dana\n")
    assert [row.line for row in same.rows] == [2, 3]
    assert [str(note) for note in same.warnings.first] == ["line 4: the same as line 2; ignored"]
    assert not same.errors.count
    for other in ("Eve,yes,1", "Dana,no,1", "Dana,yes,2", ",yes,1"):
        text = f"phone,name,whitelisted,daily_budget_usd\n{first},Dana,yes,1\n{second},{other}\n"
        assert errors(text) == ["line 3: the same phone number as in line 2, with other details"]


def test_as_many_errors_are_kept_as_a_file_in_the_desk_has_lines_and_all_are_counted(monkeypatch):
    result = people("phone\n" + "".join(f"{n}\n" for n in range(1, 1_000)))
    assert (len(result.errors.first), result.errors.count, result.errors.more) == (999, 999, 0)
    monkeypatch.setattr(rows, "MOST_KEPT", 50)
    result = people("phone\n" + "".join(f"{n}\n" for n in range(1, 1_000)))
    assert (len(result.errors.first), result.errors.count, result.errors.more) == (50, 999, 949)
    assert [note.line for note in result.errors.first] == list(range(2, 52))


def test_a_file_that_is_too_large_is_refused(monkeypatch):
    monkeypatch.setattr(reading, "MAX_LINES", 3)
    assert len(people(f"phone\n{GERMAN}\n+15551234567").rows) == 2
    with pytest.raises(BadFile, match="more than 3 lines"):
        people(f"phone\n{GERMAN}\n\n\n")
    with pytest.raises(BadFile, match="larger than 20 MB"):
        read_people(b"1" * 20_000_001)


@BOUNDED
@given(
    st.binary(max_size=200) | st.text(max_size=200).map(lambda text: f"phone,name\n{text}".encode("utf-8", "replace"))
)
def test_no_bytes_whatever_end_in_anything_but_rows_errors_or_a_refusal(data):
    with contextlib.suppress(BadFile):
        result = read_people(data)
        assert result.rows or result.errors.count
