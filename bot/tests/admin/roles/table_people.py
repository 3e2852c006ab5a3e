"""The acts on people: who is in, what they are called and known by, what they may spend, and which rights they have."""

# ruff: noqa: E501 (a row of the table is a line)

from bot.tests.admin.roles.cells import Row, Way
from bot.tests.admin.roles.ways import action, add, change, count, delete, fields, get, nothing, post, there, upload
from bot.tests.admin.roles.world import World
from users.models import Identity, User

BOTH = "login login 302! 302!"
# A form that ignores what is not somebody's to change saves the rest, and is answered like one that was saved.
OWNERS = "login login 200|302|403 302!"
REFUSED = "login login 403 302!"
LIST = "login login 200|302|403 302!"
NEW = {"name": "Nils New", "phone_number": "+4915155500700", "is_whitelisted": "on"}
PASSWORD = {"password1": "a long horse", "password2": "a long horse", "usable_password": "true"}
IDENTITY = {"identities-TOTAL_FORMS": "2", "identities-1-channel": "whatsapp", "identities-1-user": "@dana"}
FIRST = {"identities-TOTAL_FORMS": "1", "identities-INITIAL_FORMS": "0", "identities-0-channel": "whatsapp"}


def identities(world: World) -> list[tuple[int, str, str]]:
    """Return every identity: whose, of which channel, and the address."""
    return list(Identity.objects.order_by("pk").values_list("user", "channel", "address"))


def passworded(world: World) -> list[int]:
    """Return who has a password."""
    return [one.pk for one in User.objects.order_by("pk") if one.has_usable_password()]


def staff_of(world: World) -> list[tuple[int, str]]:
    """Return who has which rights."""
    return list(User.objects.exclude(role="user").order_by("pk").values_list("pk", "role"))


def person(key: str, act: str, *watched: str, answers: str = BOTH, trace: str = "any", **sent: str) -> Row:
    """Return the row of a change of somebody by their form."""
    return Row(f"person {key}", act, change("users.user", key, **sent), fields(key, *watched), answers, trace)


def line_of(key: str, name: str, whitelisted: str, budget: str = "") -> Way:
    """Return the upload of a file with one line about somebody."""
    head = "phone_number,name,whitelisted,daily_budget_usd\n"
    return upload(lambda world: f"{head}{world[key].phone_number},{name},{whitelisted},{budget}\n")


ACTIVE = "is_whitelisted"
PEOPLE = [
    Row("person", "add", add("users.user", **NEW), count("users.user"), BOTH, "any"),
    Row("person", "add with a role", add("users.user", role="owner", **NEW, **PASSWORD), staff_of, OWNERS, "any"),
    # Somebody ordinary.
    person("dana", "name", "name", name="Dora"),
    person("dana", "block by the form", ACTIVE, is_whitelisted="", trace="blocked"),
    person("blocked", "allow by the form", ACTIVE, is_whitelisted="on", trace="allowed"),
    person("dana", "budget", "daily_budget_micros", daily_budget_micros="5", trace="budget"),
    person("dana", "number", "phone_number", phone_number="+4915155500701", answers=OWNERS, trace="number"),
    person("dana", "no number", "phone_number", phone_number="", answers=OWNERS, trace="number"),
    person("nameless", "first number", "phone_number", phone_number="+4915155500701", answers=OWNERS, trace="number"),
    person("dana", "role", "role", "is_staff", "is_superuser", role="admin", answers=OWNERS),
    person("dana", "flags", "is_staff", "is_superuser", is_staff="on", is_superuser="on", answers="login login 302 302", trace=""),
    Row("person dana", "password", post("auth_user_password_change", "dana", **PASSWORD), fields("dana", "password"), REFUSED, "any"),
    # Staff.
    *(
        person(key, act, *watched, answers=REFUSED, **sent)
        for key in ("admin2", "owner2")
        for act, watched, sent in (
            ("name", ("name",), {"name": "Dora"}),
            ("number", ("phone_number",), {"phone_number": "+4915155500701"}),
            ("block by the form", (ACTIVE,), {"is_whitelisted": ""}),
            ("budget", ("daily_budget_micros",), {"daily_budget_micros": "5"}),
            ("role", ("role", "is_staff"), {"role": "user"}),
        )
    ),
    *(
        Row(f"person {key}", "password", post("auth_user_password_change", key, **PASSWORD), fields(key, "password"), REFUSED, "any")
        for key in ("admin2", "owner2")
    ),
    person("blocked admin", "block taken back by an admin", ACTIVE, is_whitelisted="on", answers=REFUSED),
    Row("person", "add with a password", add("users.user", **NEW, **PASSWORD), passworded, OWNERS, "any"),
    # Oneself, as an admin. (Of the owner's own the next rows tell.)
    person("admin", "own name", "name", name="Dora"),
    person("admin", "own budget", "daily_budget_micros", daily_budget_micros="5", answers=OWNERS, trace="budget"),
    person("admin", "own number", "phone_number", phone_number="+4915155500701", answers=OWNERS, trace="number"),
    person("admin", "own role", "role", "is_staff", "is_superuser", role="owner", answers=OWNERS),
    person("owner", "an owner's own budget", "daily_budget_micros", daily_budget_micros="5", answers=REFUSED, trace="budget"),
    # Addresses.
    *(
        Row(f"identity of {key}", act, change("users.user", key, **sent), identities, answers, trace)
        for key, act, sent, answers, trace in (
            ("dana", "add", {**IDENTITY, "identities-1-address": "+4915155500702"}, OWNERS, "linked"),
            ("dana", "change", {"identities-0-address": "70070099"}, OWNERS, "any"),
            ("dana", "delete", {"identities-0-DELETE": "on"}, OWNERS, "unlinked"),
            ("admin", "add to oneself", {**FIRST, "identities-0-address": "+4915155500702"}, OWNERS, "linked"),
            ("admin2", "add", {**FIRST, "identities-0-address": "+4915155500702"}, REFUSED, "linked"),
            ("owner2", "add", {**FIRST, "identities-0-address": "+4915155500702"}, REFUSED, "linked"),
            # A number of staff, or somebody's own one, is nobody else's: for owners neither.
            ("dana", "add an owner's number", {**IDENTITY, "identities-1-address": "+4915155500004"}, "login login 200|302|403 200|302", ""),
            ("admin", "add an owner's number to oneself", {**FIRST, "identities-0-address": "+4915155500004"}, "login login 200|302|403 200|302", ""),
            ("admin", "add a person's number to oneself", {**FIRST, "identities-0-address": "+4915155500006"}, "login login 200|302|403 200|302", ""),
        )
    ),
    # The list.
    Row("people", "allow", action("users.user", "allow", "blocked"), fields("blocked", ACTIVE), BOTH, "allowed"),
    Row("people", "block", action("users.user", "block", "dana"), fields("dana", ACTIVE), BOTH, "blocked"),
    Row("people", "allow an admin", action("users.user", "allow", "blocked admin"), fields("blocked admin", ACTIVE), LIST, "allowed"),
    Row("people", "block an admin", action("users.user", "block", "admin2"), fields("admin2", ACTIVE), LIST, "blocked"),
    Row("people", "block an owner", action("users.user", "block", "owner2"), fields("owner2", ACTIVE), LIST, "blocked"),
    Row("people", "ask to erase", action("users.user", "erase_selected", "dana"), nothing, "login login 200|302|403 200"),
    Row("people", "delete several", action("users.user", "delete_selected", "dana"), there("dana"), "login login 200|302|403 200|302|403"),
    # What is held.
    Row("person dana", "delete", delete("users.user", "dana"), there("dana"), "login login 403 302"),
    Row("person dana", "what is held", get("users_user_privacy", "dana"), nothing, "login login 403 200"),
    Row("person dana", "erase", post("users_user_erase", person="@dana", confirmation="erase person @dana"), there("dana"), REFUSED, "erased"),
    Row("person dana", "erase without the words", post("users_user_erase", person="@dana", confirmation="erase"), there("dana"), "login login 403 200"),
    Row("person owner2", "erase", post("users_user_erase", person="@owner2", confirmation="erase person @owner2"), there("owner2"), REFUSED, "erased"),
    *(
        Row(f"person {key}", f"export as {form}", post("users_user_export_one", key, format=form), exports, "login login 403 200!", "exported")
        for key in ("dana", "owner2")
        for form in ("json", "text")
        for exports in (count("users.auditentry"),)
    ),
    # Files.
    Row("people", "import a new person", upload(lambda world: "phone_number,name\n+4915155500703,Nils\n"), count("users.user"), BOTH),
    Row("people", "import a block", line_of("dana", "Dana Weber", "no"), fields("dana", ACTIVE), BOTH),
    Row("people", "import a name", line_of("dana", "Dora", "yes"), fields("dana", "name"), BOTH),
    Row("people", "import a budget", line_of("dana", "Dana Weber", "yes", "5"), fields("dana", "daily_budget_micros"), BOTH, "budget"),
    # (No file changes staff, whoever uploads it.)
    *(
        Row("people", f"import {act} of {key}", line_of(key, name, white, budget), fields(key, "name", ACTIVE, "daily_budget_micros"), "login login 200|302 200|302")
        for key in ("admin", "admin2", "owner2")
        for act, name, white, budget in (("a block", "", "no", ""), ("a budget", "", "yes", "5"), ("a name", "Dora", "yes", ""))
    ),
    Row("people", "apply an import that is not one's own", post("users_user_import_apply", people="made up"), count("users.user"), "login login 302 302"),
    Row("people", "export", get("users_user_export"), nothing, "login login 200 200"),
    Row("people", "example", get("users_user_import_example"), nothing, "login login 200 200"),
]  # fmt: skip
