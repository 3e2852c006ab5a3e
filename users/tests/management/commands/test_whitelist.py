import codecs
import io
import os
import stat

import pytest
from django.core.management import CommandError, call_command

from users.errors import DuplicatePhoneNumber
from users.management.commands import whitelist
from users.models import User
from users.tests.factories import UserFactory, alice, bob, charlie

pytestmark = [pytest.mark.promise("import"), pytest.mark.django_db]

GERMAN = "+491711234567"


class Terminal(io.StringIO):
    def isatty(self):
        return True


def run(*arguments, out=None, err=None):
    """Return what the command wrote to standard output and to standard error."""
    streams = {"stdout": out or io.StringIO(), "stderr": err or io.StringIO()}
    call_command("whitelist", *arguments, **streams)
    return tuple(stream.getvalue() for stream in streams.values())


@pytest.fixture
def file(tmp_path):
    """Write a file and return its name."""

    def write(*lines, header="phone_number,name,whitelisted"):
        path = tmp_path / "people.csv"
        path.write_text("\n".join([header, *lines]), encoding="utf-8")
        return str(path)

    return write


def test_a_person_is_added_and_removed_and_each_time_it_is_said_what_happened():
    assert run("add", "0049 171 1234567", "--name", "Dana") == ("Dana (+49…67): created and allowed.\n", "")
    assert run("add", GERMAN)[0] == "Dana (+49…67): already allowed.\n"
    assert run("remove", GERMAN)[0] == "Dana (+49…67): removed from the whitelist.\n"
    assert run("remove", GERMAN)[0] == "Dana (+49…67): not on the whitelist.\n"
    assert run("add", GERMAN, "--name", "Eve")[0] == "Eve (+49…67): allowed; now called Eve.\n"
    assert User.objects.get().is_whitelisted


@pytest.mark.parametrize("number", ["8 (912) 345-67-89", "(212) 555-0147", "+9991234567"])
def test_a_number_that_cannot_exist_is_added_with_a_warning(number):
    out, err = run("add", number)
    assert "created and allowed" in out
    digits = "".join(filter(str.isdecimal, number))
    assert err == f"warning: +{digits} does not look like a number that exists. Please check it.\n"


def test_lines_with_numbers_that_cannot_exist_are_named(file):
    name = file("8 (912) 345-67-89,Igor", f"{GERMAN},Dana", "(212) 555-0147,Ann", "+225 45 12 34 56,Ama")
    out, err = run("import", name)
    assert "Done: new 4" in out
    assert err.splitlines() == [
        "warning: line 2: +89123456789 does not look like a number that exists; please check it",
        "warning: line 4: +2125550147 does not look like a number that exists; please check it",
    ]


def test_two_numbers_in_a_line_are_refused_with_the_line(file):
    with pytest.raises(CommandError, match="2 lines are wrong"):
        run("import", file("+212522940770/74,Clinic", "+49 30 123456-0/-12,Office"), err=(said := io.StringIO()))
    assert [line.partition(":")[0] for line in said.getvalue().splitlines()] == ["line 2", "line 3"]
    assert said.getvalue().count("two numbers") == 2
    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("stored", "written"),
    [("+225 05 45 12 34 56", "+225 45 12 34 56"), ("+229 97 12 34 56", "+229 01 97 12 34 56")],
)
def test_both_spellings_of_a_country_that_made_its_numbers_longer_are_one_person(file, stored, written):
    run("add", stored, "--name", "Ama")
    assert run("add", written)[0].endswith("already allowed.\n")
    assert "Ama" in run("list", "--search", written)[0]
    assert "unchanged 1" in run("import", file(f"{written},Ama"))[0]
    with pytest.raises(DuplicatePhoneNumber):
        User.objects.create_user(written)
    assert run("remove", written)[0].endswith("removed from the whitelist.\n")
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["add", "+212522940770/74"], "two numbers"),
        (["add", "+49 30 123456-0/-12"], "two numbers"),
        (["add", "call me"], "no letters"),
        (["add", "12"], "4 to 15 digits"),
        (["add", GERMAN, "--name", "x" * 201], "at most 200 characters"),
        (["remove", "call me"], "no letters"),
        (["remove", "+15550000000"], "Nobody has this number, in any spelling."),
        (["import", "/nowhere/people.csv"], "/nowhere/people.csv cannot be read: No such file or directory."),
        (["import", "/"], "/ cannot be read: Is a directory."),
        (["export", "/nowhere/people.csv"], "/nowhere/people.csv cannot be written: No such file or directory."),
        (["export", "/"], "/ is no file. Name another, or - for standard output."),
        ([], "the following arguments are required: ACTION"),
        (["invite", GERMAN], "invalid choice: 'invite'"),
        (["add"], "the following arguments are required: NUMBER"),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(arguments, complaint):
    person = bob()
    with pytest.raises(CommandError) as refused:
        run(*arguments)
    assert complaint in str(refused.value)
    assert list(User.objects.whitelisted()) == list(User.objects.all()) == [person]


def test_the_list_shows_who_is_allowed_and_how_many(django_assert_num_queries):
    bob(phone_number=GERMAN)
    alice(phone_number="+5531987654321")
    UserFactory.create(phone_number=None, name="Ray")
    charlie()
    out = f"{GERMAN}    user   Bob\n+5531987654321   owner  Alice\nno number        user   Ray\n"
    assert run("list") == (out, "3 people on the whitelist.\n")
    assert run("list", "--search", "ali")[0] == "+5531987654321   owner  Alice\n"
    assert run("list", "--search", "+55 31 8765 4321")[0] == "+5531987654321   owner  Alice\n"
    assert run("list", "--search", "7112") == (
        f"{GERMAN}    user   Bob\n",
        "1 person on the whitelist, as searched for.\n",
    )
    assert run("list", "--search", "nobody") == ("", "0 people on the whitelist, as searched for.\n")


def test_a_file_is_imported_and_counts_are_shown(file):
    charlie(phone_number="+15551234567")
    name = file(f"{GERMAN},Dana", "+15551234567", "+15551234568,Eve,no")
    counts = "new 2, added to the whitelist 1"
    assert run("import", name, "--dry-run") == (f"Would change: {counts}.\n", "")
    assert User.objects.count() == 1
    assert run("import", name) == (f"To change: {counts}.\nDone: {counts}.\n", "")
    assert list(User.objects.whitelisted().order_by("pk").values_list("name", flat=True)) == ["Charlie", "Dana"]


def test_a_file_comes_from_standard_input_too(monkeypatch):
    data = codecs.BOM_UTF8 + f"{GERMAN};Dana\n".encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data), encoding="ascii"))
    run("import", "-")
    assert User.objects.get().name == "Dana"


def test_wrong_lines_are_named_on_standard_error_and_nothing_is_applied(file):
    owner, shown = alice(), io.StringIO()
    name = file("12,Dana", f"{GERMAN},Eve", f"{GERMAN},Eve", "4.9E+11", f"{owner.phone_number},,no")
    with pytest.raises(CommandError, match=r"^3 lines are wrong; nothing was changed\.$") as refused:
        run("import", name, err=shown)
    assert refused.value.returncode == 1
    lines = shown.getvalue().splitlines()
    assert [line.partition(": ")[0] for line in lines] == ["warning", "line 2", "line 5", "line 6"]
    assert lines[0] == "warning: line 4: the same as line 3; ignored"
    assert list(User.objects.all()) == [owner]


def test_the_output_stays_short_however_much_is_wrong(file):
    shown = io.StringIO()
    with pytest.raises(CommandError, match="5,000 lines are wrong"):
        run("import", file(*(str(n) for n in range(100_000, 105_000)), header="name,phone"), err=shown)
    assert len(shown.getvalue().splitlines()) == 51
    assert shown.getvalue().endswith("and 4,950 more\n")


@pytest.mark.parametrize(
    ("content", "complaint"), [(b"", "is empty"), (b"\xff\xfe\xff", "UTF-16"), (b"a\n", "no header")]
)
def test_a_file_that_cannot_be_read_is_refused(tmp_path, content, complaint):
    path = tmp_path / "people.csv"
    path.write_bytes(content)
    with pytest.raises(CommandError, match=complaint):
        run("import", str(path))


def test_only_as_much_is_read_as_may_be_imported(tmp_path, monkeypatch):
    path = tmp_path / "people.csv"
    path.write_bytes(b"1" * 100)
    monkeypatch.setattr(whitelist, "MAX_BYTES", 9)
    assert len(whitelist._read(str(path))) == 10


def test_replacing_wants_a_yes_before_it_removes_anybody(file):
    bob()
    name = file(f"{GERMAN},Dana")
    assert "removed from the whitelist 1" in run("import", name, "--replace", "--dry-run")[0]
    with pytest.raises(CommandError, match=r"removes 1 from the whitelist; nothing was changed\. Say --yes"):
        run("import", name, "--replace")
    assert [person.name for person in User.objects.whitelisted()] == ["Bob"]
    run("import", name, "--replace", "--yes")
    assert [person.name for person in User.objects.whitelisted()] == ["Dana"]
    run("import", name, "--replace")  # removes nobody, so it asks nothing


def test_an_export_goes_to_a_file_that_others_cannot_read_and_is_imported_again(tmp_path):
    bob(phone_number=GERMAN)
    UserFactory.create(phone_number=None)
    path = tmp_path / "people.csv"
    path.write_text("the export of yesterday")
    assert run("export", str(path)) == ("", "Not in the file: 1 person without a phone number.\n")
    assert path.read_bytes() == f"phone_number,name,whitelisted,daily_budget_usd\r\n{GERMAN},Bob,yes,\r\n".encode()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "unchanged 1." in run("import", str(path))[0]
    assert os.listdir(tmp_path) == ["people.csv"]
    assert run("export")[0] == run("export", "-")[0] == path.read_bytes().decode()
    run("export", str(path), "--bom")
    assert path.read_bytes().startswith(codecs.BOM_UTF8)
    assert "unchanged 1." in run("import", str(path))[0]


def test_an_export_that_fails_leaves_the_file_of_before(tmp_path, monkeypatch):
    path = tmp_path / "people.csv"
    path.write_text("the export of yesterday")

    def breaking(people, **options):
        yield "half of it"
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(whitelist, "export_people", breaking)
    with pytest.raises(CommandError, match=r"people\.csv cannot be written: No space left on device\."):
        run("export", str(path))
    assert path.read_text() == "the export of yesterday"
    assert os.listdir(tmp_path) == ["people.csv"]


def test_a_person_at_a_terminal_sees_how_far_it_is(file):
    terminal = Terminal()
    run("import", file(*(f"+49171{n:07}" for n in range(2_500))), out=terminal)
    shown = terminal.getvalue()
    assert "\rReading people: 1,000" in shown
    assert "\rComparing people: 2,000 of 2,500" in shown
    assert "\rImporting people: 2,500 of 2,500" in shown
    assert shown.splitlines()[-1].endswith("Done: new 2,500.")


# (What is many rows here is few rows elsewhere, where it is measured.)
@pytest.mark.no_cover
def test_twenty_thousand_lines_are_imported_exported_and_replaced(file, tmp_path):
    name = file(*(f"+49171{n:07},Person {n}" for n in range(20_000)))
    shown, complaints = run("import", name)
    assert shown.splitlines()[1].startswith("Done: new 20,000.")
    assert complaints == ""
    copy = str(tmp_path / "copy.csv")
    run("export", copy)
    assert "unchanged 20,000." in run("import", copy)[0]
    few = file(*(f"+49171{n:07}" for n in range(10)))
    assert "removed from the whitelist 19,990" in run("import", few, "--replace", "--yes")[0]
    assert User.objects.whitelisted().count() == 10
