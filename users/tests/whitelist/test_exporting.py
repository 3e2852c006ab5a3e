"""People are written as a file that a spreadsheet opens and that can be imported."""

import codecs
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from users.models import User
from users.tests.factories import UserFactory, alice, bob, charlie
from users.tests.whitelist.lists import everything, listed
from users.tests.whitelist.uploading import IMPORT, upload
from users.whitelist.applying import apply_people
from users.whitelist.exporting import CHUNK, export_people, spreadsheet_delimiter
from users.whitelist.reading import read_people

pytestmark = [pytest.mark.database, pytest.mark.django_db]

GERMAN = "+491711234567"
LIST = reverse("admin:users_user_changelist")
EXPORT = reverse("admin:users_user_export")
EXAMPLE = reverse("admin:users_user_import_example")
NAMES = ["", "Dana", "  Da\nna\t Ray ", "\x07Eve\x1b", "=1+1", "'=x", "O'Neil", 'a,b;c\t"d"', "x" * 200, "ñ 👩\u200d🚀"]


@pytest.fixture
def as_alice(client):
    client.force_login(alice())
    return client


def body(response):
    return b"".join(response.streaming_content).decode()


def test_the_export_is_a_file_that_excel_reads_and_that_can_be_imported(as_alice):
    charlie(phone_number=GERMAN, name="=Jürgen")
    response = as_alice.get(EXPORT)
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert response.headers["Content-Disposition"] == 'attachment; filename="people.csv"'
    assert "no-store" in response.headers["Cache-Control"]
    text = body(response)
    assert text.encode().startswith(codecs.BOM_UTF8)
    assert f"{GERMAN},'=Jürgen,no,\r\n" in text
    assert "There is nothing to change." in upload(as_alice, text).content.decode()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, {"Alice", "Bob", "Charlie"}),
        ({"is_whitelisted__exact": "0"}, {"Charlie"}),
        ({"role__exact": "owner"}, {"Alice"}),
        ({"q": "bob"}, {"Bob"}),
        ({"q": "0049 171 1234567", "is_whitelisted__exact": "1"}, {"Bob"}),
    ],
)
def test_the_export_is_of_the_people_that_the_list_is_filtered_to(as_alice, query, found):
    bob(phone_number=GERMAN)
    charlie()
    page = as_alice.get(LIST, query)
    link = EXPORT + page.context["cl"].get_query_string()
    assert link.replace("&", "&amp;") in page.content.decode()
    assert {line.split(",")[1] for line in body(as_alice.get(link)).splitlines()[1:]} == found


def test_a_german_desk_exports_what_a_german_excel_opens(as_alice):
    charlie(phone_number=GERMAN, name="Jürgen", daily_budget_micros=1_500_000)
    headers = {"Accept-Language": "de"}
    for file in (body(as_alice.get(EXPORT, headers=headers)), as_alice.get(EXAMPLE, headers=headers).content.decode()):
        assert file.encode().startswith(codecs.BOM_UTF8)
        assert file.lstrip("\ufeff").splitlines()[0] == "phone_number;name;whitelisted;daily_budget_usd"
        assert re.search(r";[01],50?\r\n", file)
        assert as_alice.get(IMPORT).status_code == 200 and not read_people(file.encode()).errors.count


def test_an_export_has_all_pages_of_the_list(as_alice, monkeypatch):
    UserFactory.create_batch(120)
    assert len(body(as_alice.get(EXPORT)).splitlines()) == 122


def exported(**options):
    return "".join(export_people(User.objects.all(), **options))


def test_a_spreadsheet_where_the_comma_is_the_decimal_sign_is_given_semicolons():
    charlie(phone_number=GERMAN, name="Jürgen; jr.", daily_budget_micros=1_500_001)
    bob(phone_number="+15551234567", daily_budget_micros=1_125_000)
    for language, delimiter in (("en", ","), ("de", ";"), ("es", ";")):
        with translation.override(language):
            assert spreadsheet_delimiter() == delimiter
    text = exported(delimiter=";")
    assert text.splitlines()[0] == "phone_number;name;whitelisted;daily_budget_usd"
    assert f'{GERMAN};"Jürgen; jr.";no;1,500001' in text and "+15551234567;Bob;yes;1,125" in text
    for data in (text.encode(), exported(bom=True, delimiter=";").encode()):
        assert apply_people(read_people(data)).counts["unchanged"] == 2


def test_an_export_has_everybody_with_a_number_in_columns_that_are_imported():
    alice(phone_number="+15551234567", daily_budget_micros=1_500_001)
    charlie(phone_number=GERMAN, name='Charlie "Chuck", jr.')
    UserFactory.create(phone_number=None)
    assert exported().split("\r\n") == [
        "phone_number,name,whitelisted,daily_budget_usd",
        "+15551234567,Alice,yes,1.500001",
        f'{GERMAN},"Charlie ""Chuck"", jr.",no,',
        "",
    ]
    assert exported(bom=True) == "\ufeff" + exported()


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "'=1", "''=1", '=cmd|"/c calc"!A1'])
def test_no_name_is_a_formula_in_a_spreadsheet(name):
    bob(name=name, phone_number=GERMAN)
    (row,) = read_people(exported().encode()).rows
    cell = exported().splitlines()[1].split(",")[1].strip('"')
    assert cell.startswith("'")
    assert row.name == name.strip()


def test_importing_an_export_changes_nothing():
    for name in NAMES:
        bob(name=name, daily_budget_micros=len(name) or None)
    alice(is_whitelisted=False)
    charlie(phone_number="+5531987654321", daily_budget_micros=0)
    charlie(phone_number="+1234567890", daily_budget_micros=999_999_999_999_999_999)
    before = everything()
    for bom in (False, True):
        done = apply_people(read_people(exported(bom=bom).encode()))
        assert done.counts["unchanged"] == len(before) and not done.changes_anything
        assert not done.warnings.count
    assert everything() == before


def test_an_export_brings_the_same_people_to_another_installation():
    for name in NAMES:
        bob(name=" ".join(name.split()))
    charlie(daily_budget_micros=5)
    before, file = listed(), exported()
    User.objects.all().delete()
    apply_people(read_people(file.encode()))
    assert [row[:1] + row[2:] for row in listed()] == [row[:1] + row[2:] for row in before]
    assert exported() == file


def test_an_export_reads_people_in_chunks():
    UserFactory.create_batch(3)
    chunks = export_people(User.objects.all())
    assert next(chunks) == "phone_number,name,whitelisted,daily_budget_usd\r\n"
    with CaptureQueriesContext(connection) as captured:
        assert next(chunks).count("\r\n") == 3
    assert f"LIMIT {CHUNK}" in captured[0]["sql"]
