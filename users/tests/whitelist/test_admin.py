import logging
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from users.login import backends
from users.models import User
from users.roles import Role
from users.tests.factories import UserFactory, alice, bob, charlie
from users.tests.whitelist.uploading import APPLY, IMPORT, confirm, texts, upload
from users.whitelist import admin as pages
from users.whitelist import kept
from users.whitelist.reading import read_people

pytestmark = [pytest.mark.database, pytest.mark.django_db]

GERMAN = "+491711234567"
LIST = reverse("admin:users_user_changelist")
EXPORT = reverse("admin:users_user_export")
EXAMPLE = reverse("admin:users_user_import_example")


@pytest.fixture
def as_alice(client):
    client.force_login(alice())
    return client


def staff():
    """Somebody who signs in to the admin, as far as their role lets them."""
    return UserFactory.create(role=Role.ADMIN, name="Grace")


def kept_for(client, person):
    """Keep a file as a preview of it would, and return what the page would hold."""
    request: Any = SimpleNamespace(session=client.session, user=person)
    name = kept.keep(request, read_people(GERMAN.encode()))
    request.session.save()
    return name


def test_a_file_is_previewed_and_applied_when_that_is_confirmed(as_alice, caplog):
    caplog.set_level(logging.INFO, logger="users")
    charlie(phone_number="+15551234567")
    bob(phone_number="+15551234568")
    preview = upload(as_alice, f"phone;name;whitelisted\n{GERMAN};<b>Dana</b>\n+15551234567;\n+15551234568;;no\n")
    page = preview.content.decode()
    for text in ("New: 1", "Added to the whitelist: 1", "Removed from the whitelist: 1", "Unchanged: 0"):
        assert f"<h2>{text}</h2>" in page
    assert f"<li>{GERMAN} &lt;b&gt;Dana&lt;/b&gt;</li>" in page
    assert User.objects.count() == 3
    assert set(User.objects.whitelisted().values_list("name", flat=True)) == {"Alice", "Bob"}
    response = confirm(as_alice, preview)
    assert response.url == LIST
    assert "The file was imported. New: 1, Added to the whitelist: 1, Removed" in texts(response)[0]
    assert set(User.objects.whitelisted().values_list("name", flat=True)) == {"Alice", "Charlie", "<b>Dana</b>"}
    (record,) = [record for record in caplog.records if record.name.startswith("users.")]
    assert not LogEntry.objects.exists()
    assert (record.message, record.staff) == ("people_imported", User.objects.get(name="Alice").pk)
    assert "1711234567" not in str(vars(record))


def test_confirming_twice_changes_nothing_the_second_time(as_alice):
    preview = upload(as_alice, f"{GERMAN},Dana\n")
    confirm(as_alice, preview)
    assert "Nothing was changed" in texts(confirm(as_alice, preview))[-1]
    assert User.objects.count() == 2


def test_what_changed_since_the_preview_is_seen(as_alice):
    preview = upload(as_alice, f"phone,whitelisted\n{GERMAN},no\n")
    person = bob(phone_number=GERMAN, role=Role.ADMIN)
    response = confirm(as_alice, preview)
    assert response.url == IMPORT
    assert "line 2: an owner or admin is not removed" in texts(response)[0]
    person.refresh_from_db()
    assert person.is_whitelisted


def test_wrong_lines_are_listed_and_cannot_be_confirmed(as_alice):
    lines = "".join(f"{n}\n" for n in range(1, 61))
    preview = upload(as_alice, f"phone\n{GERMAN}\n{GERMAN}\n{lines}")
    page = preview.content.decode()
    assert "60 lines are wrong; nothing was changed." in page
    assert '<td class="number">4</td><td>A phone number has' in page and page.count("A phone number has") == 60
    assert '<td class="number">3</td><td>the same as line 2; ignored</td>' in page
    assert APPLY not in page and preview.context["kept"] == ""
    assert User.objects.count() == 1


def test_a_file_that_changes_nothing_has_nothing_to_confirm(as_alice):
    bob(phone_number=GERMAN)
    preview = upload(as_alice, GERMAN)
    assert "There is nothing to change." in preview.content.decode()
    assert APPLY not in preview.content.decode()


def test_the_preview_shows_the_first_hundred(as_alice):
    page = upload(as_alice, "".join(f"+4917112345{n}\n" for n in range(100, 210))).content.decode()
    assert page.count("<li>+4917112345") == 100
    assert "<h2>New: 110</h2>" in page and "<li>and 10 more</li>" in page


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "empty"),
        (b"phone,name\n+491711234567,\xc3\xa4\xe4", "Line 2 is not UTF-8"),
        (b"phone,role\n", "Roles are not handed out by a file."),
        (b"1" * 10_000_001, "manage.py whitelist import FILE"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_clear_form_error(as_alice, content, complaint):
    response = upload(as_alice, content)
    assert complaint in str(response.context["form"].errors["file"])
    assert "This file cannot be imported." in response.content.decode()


def test_the_form_wants_a_file(as_alice):
    assert "required" in str(as_alice.post(IMPORT).context["form"].errors["file"])
    assert as_alice.get(IMPORT).context["form"].errors == {}


def test_more_lines_than_a_page_takes_are_for_the_command(as_alice, monkeypatch):
    monkeypatch.setattr(pages, "MOST_KEPT", 9)
    response = upload(as_alice, "".join(f"+4917112345{n}\n" for n in range(10, 20)))
    assert "manage.py whitelist import FILE" in str(response.context["form"].errors["file"])
    assert APPLY not in response.content.decode()


# (What is many rows here is few rows elsewhere, where it is measured.)
@pytest.mark.no_cover
def test_a_large_file_is_previewed_and_applied_in_the_desk(as_alice, settings):
    lines = "".join(f"+{491_700_000_000 + n * 7_919_317 % 99_999_999},N{n * n % 9_973}\n" for n in range(20_000))
    preview = upload(as_alice, lines)
    assert len(preview.content) < 100_000
    assert confirm(as_alice, preview).url == LIST
    assert User.objects.count() == 20_001


@pytest.mark.parametrize(
    "damage", [lambda text: "", lambda text: text[1:], lambda text: text[:-1] + "é", lambda text: "a:b:c"]
)
def test_what_was_changed_on_the_way_is_not_applied(as_alice, damage):
    preview = upload(as_alice, f"{GERMAN},Dana\n")
    response = as_alice.post(APPLY, {"people": damage(preview.context["kept"])})
    assert response.url == IMPORT
    assert "Nothing was changed" in texts(response)[0]
    assert User.objects.count() == 1


def test_of_two_previews_only_the_one_that_is_shown_last_is_applied(as_alice):
    first = upload(as_alice, f"{GERMAN},Dana\n")
    second = upload(as_alice, "+15551234567,Eve\n")
    assert "Nothing was changed" in texts(confirm(as_alice, first))[0]
    assert confirm(as_alice, second).url == LIST
    assert list(User.objects.exclude(name="Alice").values_list("name", flat=True)) == ["Eve"]


@pytest.mark.parametrize(
    ("codenames", "may_import", "may_export"),
    [(("view",), False, False), (("view", "add"), False, False), (("view", "change"), False, True),
     (("view", "add", "change"), True, True)],
)  # fmt: skip
def test_only_who_may_add_and_change_people_imports_and_only_who_may_change_them_exports(
    client, monkeypatch, codenames, may_import, may_export
):
    allowed = frozenset(f"users.{name}_user" for name in codenames)
    monkeypatch.setattr(backends, "django_permissions", lambda role: allowed)
    person = staff()
    client.force_login(person)
    assert client.get(IMPORT).status_code == (200 if may_import else 403)
    assert upload(client, GERMAN).status_code == (200 if may_import else 403)
    assert client.get(EXPORT).status_code == (200 if may_export else 403)
    page = client.get(LIST).content.decode()
    assert (f'href="{IMPORT}"' in page, f'href="{EXPORT}?"' in page) == (may_import, may_export)
    people = kept_for(client, person)
    assert client.post(APPLY, {"people": people}).status_code == (302 if may_import else 403)
    assert User.objects.filter(phone_number=GERMAN).exists() is may_import


def test_who_is_not_signed_in_is_sent_to_the_login(client):
    for url in (IMPORT, EXPORT):
        assert client.get(url).url.startswith(reverse("admin:login"))
    assert client.post(APPLY).url.startswith(reverse("admin:login"))


def test_importing_needs_a_post_with_the_forms_token():
    client = Client(enforce_csrf_checks=True)
    owner = alice()
    client.force_login(owner)
    people = kept_for(client, owner)
    assert client.post(APPLY, {"people": people}).status_code == 403
    assert upload(client, GERMAN).status_code == 403
    assert client.get(APPLY, {"people": people}).status_code == 405
    assert client.post(EXPORT).status_code == 403
    assert User.objects.count() == 1


def test_no_owner_or_admin_is_changed_by_one_who_is_no_owner(client):
    owner = alice(phone_number=GERMAN)
    client.force_login(staff())
    assert "1 line is wrong" in upload(client, f"phone,whitelisted\n{GERMAN},no\n").content.decode()
    page = upload(client, f"phone,name\n{GERMAN},Mallory\n").content.decode()
    assert "There is nothing to change." in page and "left as they are" in page
    owner.refresh_from_db()
    assert (owner.name, owner.is_whitelisted) == ("Alice", True)


def test_an_export_with_a_filter_that_is_none_is_refused(as_alice):
    assert as_alice.get(EXPORT, {"role__exact__foo": "1"}).status_code == 400


def test_the_example_can_be_downloaded_and_imports_as_it_is(as_alice):
    page = as_alice.get(IMPORT).content.decode()
    assert f'href="{EXAMPLE}"' in page and "<td>Dana Weber</td>" in page
    response = as_alice.get(EXAMPLE)
    assert response["Content-Disposition"] == 'attachment; filename="people-example.csv"'
    preview = upload(as_alice, response.content)
    assert "<h2>New: 3</h2>" in preview.content.decode()
    confirm(as_alice, preview)
    dana = User.objects.get(name="Dana Weber")
    assert (dana.phone_number, dana.is_whitelisted, dana.daily_budget_micros) == ("+491713920001", True, 500_000)


def test_the_example_is_for_who_may_import(client):
    client.force_login(UserFactory.create(is_staff=True))
    assert client.get(EXAMPLE).status_code == 403
