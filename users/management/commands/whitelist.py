"""manage.py whitelist: who may talk to the bots."""

import os
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Q

from config.db.batches import progress_line
from users.errors import AddressTaken
from users.models import User
from users.phone import InvalidPhoneNumber, is_possible
from users.whitelist import Outcome, allow, deny
from users.whitelist.applying import ImportFailed, ImportRefused, apply_people
from users.whitelist.columns import COLUMNS
from users.whitelist.exporting import export_people
from users.whitelist.planning import Kind, Plan, make_plan
from users.whitelist.reading import MAX_BYTES, BadFile, Reading, read_people
from users.whitelist.rows import BadName, Notes

STANDARD = "-"
CHUNK = 2_000
MOST_NOTES = 50


class Command(BaseCommand):
    """Adds and removes people, lists them, and moves them in and out as a CSV file."""

    help = "Who may talk to the bots: add, remove, list, import, export."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the actions and their options."""
        actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
        add = actions.add_parser("add", help="Allow a person, creating them if nobody has the number.")
        add.add_argument("number", metavar="NUMBER", help="In any usual spelling, such as +491711234567.")
        add.add_argument("--name", default="", help="The person's name (default: it stays as it is).")
        remove = actions.add_parser("remove", help="Take a person off the whitelist. They stay known.")
        remove.add_argument("number", metavar="NUMBER")
        listing = actions.add_parser("list", help="Show who is on the whitelist: number, role, name.")
        listing.add_argument("--search", metavar="TEXT", default="", help="Only names and numbers with this in them.")
        self._add_import(actions.add_parser("import", help="Allow the people of a CSV file."))
        export = actions.add_parser("export", help="Write everybody with a phone number as a CSV file.")
        export.add_argument("file", metavar="FILE", nargs="?", default=STANDARD, help="Default: - (standard output).")
        export.add_argument("--bom", action="store_true", help="Begin with a byte order mark, as Excel likes it.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do what was asked for.

        Raises:
            CommandError: a number or file cannot be read or written.
        """
        try:
            getattr(self, f"_{options['action']}")(options)
        except (InvalidPhoneNumber, AddressTaken, BadName, BadFile, ImportFailed) as error:
            raise CommandError(str(error)) from None
        except BrokenPipeError:
            # Whoever read the output (head, less) has enough. Python would complain again when it ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def _add(self, options: dict[str, Any]) -> None:
        result = allow(options["number"], options["name"])
        renamed = f"; now called {result.person.name}" if result.renamed and result.person else ""
        self.stdout.write(f"{result.person}: {result.outcome.label}{renamed}.")
        number = result.person.phone_number if result.person else None
        if number and not is_possible(number):
            self.stderr.write(f"warning: {number} does not look like a number that exists. Please check it.")

    def _remove(self, options: dict[str, Any]) -> None:
        result = deny(options["number"])
        if result.outcome == Outcome.UNKNOWN:
            raise CommandError("Nobody has this number, in any spelling.")
        self.stdout.write(f"{result.person}: {result.outcome.label}.")

    def _list(self, options: dict[str, Any]) -> None:
        people = User.objects.whitelisted()
        if text := options["search"].strip():
            owner = User.objects.find_by_phone_number(text)
            people = people.filter(Q(name__icontains=text) | Q(phone_number__contains=text) | Q(pk=owner and owner.pk))
        count = 0
        for person in people.order_by("pk").iterator(chunk_size=CHUNK):
            self.stdout.write(f"{person.phone_number or 'no number':16} {person.role:6} {person.name}".rstrip())
            count += 1
        self.stderr.write(f"{_people(count)} on the whitelist{', as searched for' if text else ''}.")

    def _add_import(self, parser: ArgumentParser) -> None:
        columns = ", ".join(COLUMNS)
        parser.description = (
            f"Columns: {columns}; only the first is needed. With wrong lines nothing is changed. Owners and admins are "
            "never changed, and nobody is removed who is not in the file, unless --replace says so."
        )
        parser.add_argument("file", metavar="FILE", help="A CSV file, or - for standard input.")
        parser.add_argument("--dry-run", action="store_true", help="Say what would change, and change nothing.")
        parser.add_argument(
            "--replace",
            action="store_true",
            help="Take everybody off the whitelist who is not in the file, but owners, admins, and people without a "
            "phone number. Needs --yes or --dry-run.",
        )
        parser.add_argument("--yes", action="store_true", help="Yes, --replace may remove people.")

    def _import(self, options: dict[str, Any]) -> None:
        data = _read(options["file"])
        with progress_line(self.stdout, "Reading people") as progress:
            reading = read_people(data, progress)
        with progress_line(self.stdout, "Comparing people") as progress:
            plan = make_plan(reading.rows, replace=options["replace"], progress=progress)
        self._say_notes(reading, plan)
        if wrong := (reading.errors + plan.errors).count:
            raise CommandError(f"{wrong:,} {'line is' if wrong == 1 else 'lines are'} wrong; nothing was changed.")
        self.stdout.write(f"{'Would change' if options['dry_run'] else 'To change'}: {_counts(plan)}.")
        if options["dry_run"]:
            return
        if options["replace"] and not options["yes"] and plan.count(Kind.REMOVED):
            removed = plan.count(Kind.REMOVED)
            raise CommandError(f"This removes {removed:,} from the whitelist; nothing was changed. Say --yes to do it.")
        try:
            with progress_line(self.stdout, "Importing people") as progress:
                done = apply_people(reading, replace=options["replace"], progress=progress)
        except ImportRefused as error:
            self._write_notes(error.errors, "")
            raise CommandError(str(error)) from None
        self.stdout.write(f"Done: {_counts(done)}.")

    def _say_notes(self, reading: Reading, plan: Plan) -> None:
        self._write_notes(reading.warnings + plan.warnings, "warning: ")
        self._write_notes(reading.errors + plan.errors, "")

    def _write_notes(self, notes: Notes, label: str) -> None:
        for note in notes.first[:MOST_NOTES]:
            self.stderr.write(f"{label}{note}")
        if notes.count > MOST_NOTES:
            self.stderr.write(f"{label}and {notes.count - MOST_NOTES:,} more")

    def _export(self, options: dict[str, Any]) -> None:
        chunks = export_people(User.objects.all(), bom=options["bom"])
        if options["file"] == STANDARD:
            for chunk in chunks:
                self.stdout.write(chunk, ending="")
        else:
            _write_file(Path(options["file"]), chunks)
        without = User.objects.filter(phone_number=None).count()
        if without:
            self.stderr.write(f"Not in the file: {_people(without)} without a phone number.")


def _read(name: str) -> bytes:
    """Return what is in a file, or in standard input; a little more than is allowed at most."""
    try:
        if name == STANDARD:
            return sys.stdin.buffer.read(MAX_BYTES + 1)
        with open(name, "rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise CommandError(f"{name} cannot be read: {error.strerror}.") from None


def _write_file(path: Path, chunks: Iterator[str]) -> None:
    """Write a file; one that is there already is replaced when all of the new one is written."""
    if path.exists() and not path.is_file():
        raise CommandError(f"{path} is no file. Name another, or - for standard output.")
    try:
        # Readable by this user only, as it holds phone numbers.
        handle, partial = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with open(handle, "w", encoding="utf-8", newline="") as file:
                file.writelines(chunks)
            os.replace(partial, path)
        except BaseException:
            os.unlink(partial)
            raise
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}.") from None


def _counts(plan: Plan) -> str:
    return ", ".join(f"{kind.label.lower()} {plan.count(kind):,}" for kind in Kind if plan.count(kind))


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count:,} people"
