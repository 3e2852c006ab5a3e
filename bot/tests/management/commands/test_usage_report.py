"""What the operator reads of usage: the same sums as text and as CSV, in exact dollars and the days of TIME_ZONE."""

import csv
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError

from bot.tests.support.factories import BotFactory
from usage.models import DailySpend
from usage.reporting.csv_file import DETAILS
from usage.reporting.lines import details
from usage.reporting.question import last_days
from usage.tests.reporting.terminal import NOW, run, table_of, used
from users.tests.factories import bob, charlie

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _now() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


def some_usage() -> None:
    anna = bob(name="Anna", phone_number="+491711234567")
    used(anna, cost_micros=1_234_567, input_tokens=1_500, cached_input_tokens=500)
    used(anna, 1, cost_micros=None, model="llama")
    used(anna, 1, kind="transcription", model="gpt-transcribe", output_tokens=0, cost_micros=1)
    used(charlie(phone_number="+12025550123"), 1, bot="desk", cost_micros=20)
    used(None, 1, cost_micros=3)
    used(anna, 40, cost_micros=999_999)


def test_the_report_shows_days_totals_and_what_they_are_made_of(django_assert_max_num_queries: Any) -> None:
    some_usage()
    run()  # closes the days that are over
    # The people in a transaction with room to group, nobody's, closed days, the last two, folded ones, and names.
    with django_assert_max_num_queries(10):
        text = run()
    assert text.startswith("Usage of the last 30 days (UTC), today included.")
    assert table_of(text, "day") == [
        ["2026-03-09", "4", "3", "400", "0", "30", "$0.000024", "+", "1", "unpriced"],
        ["2026-03-10", "1", "1", "1,500", "500", "10", "$1.234567"],
        ["total", "5", "4", "1,900", "500", "40", "$1.234591", "+", "1", "unpriced"],
    ]
    assert [row[0] for row in table_of(text, "bot")] == ["shop", "desk"]
    assert [row[0] for row in table_of(text, "model")] == ["gpt-6-luna", "gpt-transcribe", "llama"]
    people = table_of(text, "person")
    assert people[0] == [
        *("Anna", "+491711234567", "3", "2", "1,700", "500", "20", "$1.234568", "+", "1", "unpriced"),
    ]
    assert [row[:2] for row in people[1:]] == [["Charlie", "+12025550123"], ["(deleted", "people)"]]
    assert [row[:3] for row in table_of(text, "kind")] == [["Completion", "4", "4"], ["Transcription", "1", "0"]]
    assert "then reprice" in text


def test_only_what_is_asked_for_is_counted() -> None:
    some_usage()
    assert table_of(run("--days", "1"), "day")[-1][-1] == "$1.234567"
    assert table_of(run("--days", "60"), "day")[-1][6] == "$2.234590"
    assert table_of(run("--user", "0049 171 1234567"), "day")[-1][6] == "$1.234568"
    BotFactory.create(slug="shop")
    assert table_of(run("--bot", "shop"), "day")[-1][6] == "$1.234571"
    DailySpend.objects.create(bot="desk", day=NOW.date())  # a bot that was deleted
    assert table_of(run("--bot", "desk"), "day")[-1][6] == "$0.000020"


def test_days_are_the_installations(settings: Any) -> None:
    settings.TIME_ZONE = "Asia/Tokyo"
    used(None, created_at=NOW.replace(hour=14, minute=59) - timedelta(days=1))
    used(None, created_at=NOW.replace(hour=15) - timedelta(days=1))
    text = run()
    assert "(Asia/Tokyo)" in text
    assert [row[0] for row in table_of(text, "day")] == ["2026-03-09", "2026-03-10", "total"]
    assert table_of(run("--days", "1"), "day")[-1][1] == "1"


def test_csv_has_a_row_for_each_combination_in_raw_numbers(django_assert_num_queries: Any) -> None:
    some_usage()
    with django_assert_num_queries(2):  # the lines of a month, and whose they are
        text = run("--csv")
    assert text.endswith("\r\n")
    header, *rows = csv.reader(StringIO(text, newline=""))
    assert tuple(header) == DETAILS
    assert len(rows) == 5
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)
    anna = [row for row in rows if row[2] == "Anna" and row[0] == "2026-03-10"]
    assert [row[3:] for row in anna] == [
        ["+491711234567", "shop", "completion", "gpt-6-luna", *("1", "1", "1500", "500", "10", "1234567", "0")]
    ]
    assert [row[-2:] for row in rows if row[6] == "llama"] == [["0", "1"]]
    assert sum(int(row[-2]) for row in rows) == 1_234_591


@pytest.mark.parametrize("name", ["=1+1", "+49 Anna", "-2", "@SUM(A1)", "\t=1", "\r=1", "＝1"])
def test_a_name_is_no_formula_in_a_spreadsheet(name: str) -> None:
    used(bob(name=name), model="=cmd")
    _, row = csv.reader(StringIO(run("--csv"), newline=""))
    assert (row[2], row[6]) == (f"'{name}", "'=cmd")


def test_quotes_commas_and_line_ends_of_names_survive() -> None:
    name = 'Anna "the boss",\nsmith'
    used(bob(name=name))
    _, row = csv.reader(StringIO(run("--csv"), newline=""))
    assert row[2] == name


def test_csv_goes_to_a_file_which_is_replaced_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    some_usage()
    file = tmp_path / "usage.csv"
    assert run("--csv", str(file)) == f"Wrote 5 rows to {file}.\n"
    written = file.read_bytes()
    assert written.decode() == run("--csv")
    assert written.count(b"\r\n") == 6

    def fail(*args: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("usage.reporting.csv_file.as_text", fail)
    with pytest.raises(CommandError, match="cannot be written: No space left"):
        run("--csv", str(file))
    assert file.read_bytes() == written
    assert list(tmp_path.iterdir()) == [file]


def test_lines_are_never_all_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("usage.reporting.lines.FETCHED_AT_ONCE", 2)
    for ago in range(5):
        used(None, ago)
    lines = details(last_days(30))
    assert next(lines).sums.calls == 1
    assert len(list(lines)) == 4


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--days", "0"], "--days must be at least 1"),
        (["--csv", "--days", "-1"], "--days must be at least 1"),
        (["--days", "soon"], "--days"),
        (["--user", "12ab"], "--user: A phone number has no letters"),
        (["--user", "+15550009999"], "--user: nobody has this phone number"),
        (["--bot", "shpo"], r"--bot: no bot is called 'shpo'. There are: shop\."),
        (["--csv", "/nowhere/usage.csv"], "--csv: /nowhere/usage.csv cannot be written: No such file or directory"),
    ],
)
def test_a_wrong_choice_is_a_clear_error(arguments: list[str], error: str) -> None:
    BotFactory.create(slug="shop")
    with pytest.raises(CommandError, match=error):
        run(*arguments)
