"""The columns of a list of people: how they may be called, and what their cells say."""

import pytest
from django.conf import settings as languages
from django.utils import translation

from users.tests.whitelist.reading_files import people
from users.whitelist.rows import Row

GERMAN = "+491711234567"
DANA = Row(2, GERMAN, "Däna")


@pytest.mark.parametrize(
    "header",
    ["phone_number", "Phone Number", " PHONE ", "phone-number", "number", "Telefon", "teléfono", "tele\u0301fono"],
)
def test_the_number_column_has_several_names(header):
    assert people(f"name;{header}\nDäna;{GERMAN}\n").rows == (DANA,)


def test_every_column_is_read_and_empty_cells_leave_things_as_they_are():
    text = (
        "daily_budget_usd,Name,whitelisted,phone_number,,\n"
        f"0.50,Däna,YES,{GERMAN},,\n"
        "25,Eve,0,+15551234567\n"
        ",,,+15551234568,\n"
        "0.000001,,No,+15551234569\n"
    )
    assert people(text).rows == (
        Row(2, GERMAN, "Däna", True, 500_000),
        Row(3, "+15551234567", "Eve", False, 25_000_000),
        Row(4, "+15551234568", "", True, None),
        Row(5, "+15551234569", "", False, 1),
    )


def test_the_desk_s_own_words_for_yes_and_no_are_understood():
    for code, _name in languages.LANGUAGES:
        with translation.override(code):
            words = [str(translation.gettext(word)) for word in ("Yes", "No")]
        for word, expected in zip(words, (True, False), strict=True):
            for cell in (word, word.upper(), f" {word.lower()} "):
                assert people(f"phone,whitelisted\n{GERMAN},{cell}\n").rows == (Row(2, GERMAN, "", expected),)
    for cell, expected in (("WAHR", True), ("FALSCH", False), ("VERDADERO", True), ("FALSO", False), ("si", True)):
        assert people(f"phone,whitelisted\n{GERMAN},{cell}\n").rows == (Row(2, GERMAN, "", expected),)


@pytest.mark.parametrize(
    ("delimiter", "cell", "micros"),
    [
        (";", "0,5", 500_000),
        (";", "1,500001", 1_500_001),
        (";", "1,500", 1_500_000),
        (";", "0.125", 125_000),
        (";", "12.50", 12_500_000),
        (",", '"0,50"', 500_000),
        (",", "1.500", 1_500_000),
        ("\t", "2,25", 2_250_000),
        (";", "1.500", None),
        (",", '"1,500"', None),
        ("\t", "12,000", None),
        (";", "1.500,00", None),
        (",", '"1,500.00"', None),
    ],
)
def test_amounts_may_have_a_decimal_comma_and_thousands_are_never_taken_for_decimals(delimiter, cell, micros):
    result = people(f"phone{delimiter}daily_budget_usd\n{GERMAN}{delimiter}{cell}\n")
    assert [row.budget_micros for row in result.rows] == ([] if micros is None else [micros])
    assert result.errors.count == (micros is None)


@pytest.mark.parametrize("cell", ["4.91712E+11", "4,91712E+11", "+4.9e11", "491711234567.0", "491711234567,00"])
def test_a_number_that_a_spreadsheet_damaged_is_never_taken_for_another(cell):
    result = people(f"phone_number;name\n{cell};Dana\n")
    assert result.rows == ()
    assert "format the column as text and enter the number again" in str(result.errors.first[0])


@pytest.mark.parametrize(
    ("cells", "complaint"),
    [
        (",Dana,,", "the phone number is missing"),
        ("#NAME?,Dana,,", "A phone number has"),
        (f"{GERMAN},{'x' * 201},,", "a name has at most 200 characters; this has 201"),
        (f"{GERMAN},,maybe,", "whitelisted must be yes or no"),
        (f'{GERMAN},,,"0,50,0"', "daily_budget_usd must be an amount of dollars such as 25 or 0.50"),
        (f'{GERMAN},,,"1,500"', "daily_budget_usd 1,500 may be thousands or decimals here: write 1500 or 1.5"),
        (f"{GERMAN},,,-1", "daily_budget_usd must be"),
        (f"{GERMAN},,,1e3", "daily_budget_usd must be"),
        (f"{GERMAN},,,NaN", "daily_budget_usd must be"),
        (f"{GERMAN},,,0.0000001", "daily_budget_usd must be"),
        (f"{GERMAN},,,9999999999999", "daily_budget_usd must be"),
        (f"{GERMAN},Ray, Dana,yes,1", "there are 5 fields and only 4 columns"),
        ("1" * 100_000, "too long for a phone number"),
        ("1" * 200_000, "a field is too long"),
        (f'{GERMAN},"Da"na,,', "the quotes here cannot be read"),
        (f'{GERMAN},"Dana,,', "the quotes here cannot be read"),
    ],
)
def test_a_wrong_cell_is_an_error_of_its_line_and_the_other_lines_are_read(cells, complaint):
    result = people(f"phone_number,name,whitelisted,daily_budget_usd\n+15551234567,Eve\n{cells}\n")
    assert [row.name for row in result.rows] == ["Eve"]
    assert [note.line for note in result.errors.first] == [3]
    assert complaint in str(result.errors.first[0])
