"""What a list of people would change: counted and shown before anything happens, and made again when it does."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from django.db.models import QuerySet, TextChoices
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.db.batches import Progress
from config.desk.money import exact
from users.models import CANONICAL_NUMBER, Identity, User
from users.phone import variants
from users.roles import Role
from users.whitelist.rows import Notes, Row, canonical, clean_name

# People for each query; each may have two spellings, and SQLite takes 32,766 parameters.
BATCH = 2_000
SAMPLES = 100


class Kind(TextChoices):
    """What becomes of a person; several at once, except the first and the last."""

    CREATED = "created", gettext_lazy("New")
    ALLOWED = "allowed", gettext_lazy("Added to the whitelist")
    REMOVED = "removed", gettext_lazy("Removed from the whitelist")
    RENAMED = "renamed", gettext_lazy("Renamed")
    BUDGET = "budget", gettext_lazy("Daily budget changed")
    UNCHANGED = "unchanged", gettext_lazy("Unchanged")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody as they are in the database."""

    pk: int
    number: str
    name: str
    whitelisted: bool
    budget_micros: int | None
    is_staff: bool


@dataclass(frozen=True, slots=True)
class Change:
    """What a row changes of a person; of nobody: they are created."""

    row: Row
    person: Person | None
    kinds: tuple[Kind, ...]


@dataclass(slots=True)
class Tally:
    """How many people something happens to, and the first of them in words."""

    count: int = 0
    samples: list[str] = field(default_factory=list)

    def add(self, describe: Callable[[], str]) -> None:
        """Count one more; it is described only while there are few."""
        self.count += 1
        if self.count <= SAMPLES:
            self.samples.append(describe())

    @property
    def more(self) -> int:
        """Return how many are not among the first."""
        return self.count - len(self.samples)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a list changes. With errors it changes nothing; what warnings are about is left as it is."""

    tallies: dict[Kind, Tally]
    errors: Notes
    warnings: Notes

    def count(self, kind: Kind) -> int:
        """Return how many people this happens to."""
        return self.tallies[kind].count

    @property
    def changes_anything(self) -> bool:
        """Return whether there is anything to apply."""
        return any(self.count(kind) for kind in Kind if kind is not Kind.UNCHANGED)

    @property
    def counts(self) -> dict[str, int]:
        """Return the counts by the kinds' names."""
        return {kind.value: self.count(kind) for kind in Kind}


def make_plan(
    rows: Sequence[Row],
    *,
    replace: bool = False,
    people: QuerySet[User] | None = None,
    write: Callable[[Sequence[Change]], None] | None = None,
    progress: Progress | None = None,
) -> Plan:
    """Return what the rows would change: one query for each 2,000 of them.

    replace: whoever is on the whitelist and not in the list would be removed, as far as leavers() says.
    people: how to read people (to lock them while reading); write: what to do with each batch of changes.
    """
    plan = Plan({kind: Tally() for kind in Kind}, Notes(), Notes())
    known = User.objects.all() if people is None else people
    for start in range(0, len(rows), BATCH):
        changes = list(_changes(rows[start : start + BATCH], known, plan))
        for change in changes:
            for kind in change.kinds:
                plan.tallies[kind].add(lambda change=change, kind=kind: _describe(change, kind))  # type: ignore[misc]
        if write:
            write(changes)
        if progress:
            progress(min(start + BATCH, len(rows)), len(rows))
    if replace:
        for _pk, *gone in leavers(rows):
            plan.tallies[Kind.REMOVED].add(lambda gone=gone: " ".join(gone).strip())  # type: ignore[misc]
    return plan


def leavers(rows: Sequence[Row]) -> Iterator[tuple[int, str, str]]:
    """Yield primary key, number and name of who is on the whitelist and not in the list.

    Neither owners and admins, whom no file changes, nor people without a number, whom no file can name.
    """
    listed = {canonical(row.number) for row in rows}
    allowed = ordinary(User.objects.whitelisted()).exclude(phone_number=None).order_by("pk")
    for pk, number, name in allowed.values_list("pk", "phone_number", "name").iterator(chunk_size=BATCH):
        if number is not None and canonical(number) not in listed:
            yield pk, number, name


def ordinary(people: QuerySet[User]) -> QuerySet[User]:
    """Keep those who are neither owner nor admin."""
    return people.filter(role=Role.USER, is_staff=False, is_superuser=False)


def _changes(rows: Sequence[Row], people: QuerySet[User], plan: Plan) -> Iterator[Change]:
    known = _known(rows, people)
    linked = _linked(row.number for row in rows if canonical(row.number) not in known)
    for row in rows:
        person = known.get(canonical(row.number))
        if person is None and canonical(row.number) in linked:
            plan.errors.add(row.line, _("this is an address of somebody already, whose phone number it is not"))
        kinds = (Kind.CREATED,) if person is None else _kinds(row, person)
        if person is not None and person.is_staff and kinds:
            if Kind.REMOVED in kinds:
                reason = _("an owner or admin is not removed from the whitelist by a file: take this line out")
                plan.errors.add(row.line, reason)
            else:
                reason = _("an owner or admin is not changed by a file; left as they are")
                plan.warnings.add(row.line, reason)
            kinds = ()
        yield Change(row, person, kinds or (Kind.UNCHANGED,))


def _known(rows: Sequence[Row], people: QuerySet[User]) -> dict[str, Person]:
    """Return who is there already, by canonical number. One query."""
    numbers = {spelling for row in rows for spelling in variants(row.number)}
    # In one order for everybody, because they may be locked: two imports can't deadlock.
    found = people.filter(phone_number__in=numbers).order_by(CANONICAL_NUMBER)
    columns = (
        "pk",
        "phone_number",
        "name",
        "is_whitelisted",
        "daily_budget_micros",
        "role",
        "is_staff",
        "is_superuser",
    )
    return {
        canonical(number): Person(pk, number, name, allowed, budget, role != Role.USER or staff or superuser)
        for pk, number, name, allowed, budget, role, staff, superuser in found.values_list(*columns)
        if number is not None
    }


def _linked(numbers: Iterable[str]) -> set[str]:
    """Return which numbers are an identity of somebody, as canonical numbers. One query."""
    texts = {spelling for number in numbers for spelling in variants(number)}
    known = Identity.objects.filter(address__in=texts).values_list("address", flat=True) if texts else ()
    return {canonical(address) for address in known}


def _kinds(row: Row, person: Person) -> tuple[Kind, ...]:
    kinds = []
    if row.whitelisted != person.whitelisted:
        kinds.append(Kind.ALLOWED if row.whitelisted else Kind.REMOVED)
    # As a file would say it: a name that was entered elsewhere may have what no line has.
    if row.name and row.name != clean_name(person.name):
        kinds.append(Kind.RENAMED)
    if row.budget_micros is not None and row.budget_micros != person.budget_micros:
        kinds.append(Kind.BUDGET)
    return tuple(kinds)


def _describe(change: Change, kind: Kind) -> str:
    row, person = change.row, change.person
    name = row.name if person is None else person.name
    text = f"{row.number} {name}".strip()
    if kind is Kind.RENAMED:
        return f"{text} → {row.name}"
    if kind is Kind.BUDGET and person is not None:
        return f"{text}: {_dollars(person.budget_micros)} → {_dollars(row.budget_micros)}"
    if kind is Kind.CREATED and not row.whitelisted:
        return _("%(person)s (not whitelisted)") % {"person": text}
    return text


def _dollars(micros: int | None) -> str:
    return _("default") if micros is None else exact(micros)
