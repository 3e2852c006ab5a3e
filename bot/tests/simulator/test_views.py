"""The simulator's page, and the two JSON views behind it."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from bot.models import InboundMessage, Lease, OutboundMessage
from bot.queue import snapshot
from bot.simulator import queries
from bot.simulator.queries import UNKNOWN_NUMBER
from bot.tests.simulator.chatting import ALICE_NUMBER, SEND, UPDATES, news, send
from bot.tests.support.factories import BotFactory
from config.desk.money import exact
from users.models import User
from users.tests.factories import UserFactory

BOB_NUMBER = "+12025550102"
pytestmark = pytest.mark.django_db


@pytest.fixture
def bot():
    bot = BotFactory(slug="demo")
    snapshot.forget()
    yield bot
    snapshot.forget()


@pytest.fixture
def alice():
    return UserFactory(phone_number=ALICE_NUMBER, name="Alice")


@pytest.fixture
def bob():
    return UserFactory(phone_number=BOB_NUMBER, name="Bob")


@pytest.fixture
def staff(client):
    client.force_login(UserFactory(role="admin", is_whitelisted=False))
    return client


# --- who may see it ---


@pytest.mark.parametrize("path", ["/", "/?bot=demo"])
def test_visitors_are_sent_to_the_admin_login(client, path):
    response = client.get(path)
    assert response.status_code == 302
    assert response["Location"].startswith("/admin/login/?next=/")


def test_people_without_staff_rights_are_refused(client, alice):
    client.force_login(alice)
    assert client.get("/").status_code == 403


@pytest.mark.parametrize("view", [lambda client: client.get(UPDATES), send])
def test_the_json_views_refuse_whom_the_page_refuses(client, bot, alice, view):
    for _ in range(2):
        response = view(client)
        assert response.status_code == 403
        assert "staff" in response.json()["error"]
        client.force_login(alice)
    assert not InboundMessage.objects.exists()


def test_in_development_nobody_needs_to_sign_in(client, settings, bot, alice):
    settings.DEBUG = True
    assert client.get("/", HTTP_HOST="localhost:3000").status_code == 200
    assert send(client, HTTP_HOST="localhost:3000").status_code == 201


# --- the page ---


def test_the_page_offers_active_console_bots_and_whitelisted_people(staff, bot, alice):
    BotFactory(slug="paused", name="Paused one", is_active=False)
    BotFactory(slug="wa", name="WhatsApp one", channel="whatsapp")
    UserFactory(phone_number=BOB_NUMBER, name="Bob the stranger", is_whitelisted=False)
    page = staff.get("/").content.decode()
    assert 'value="demo"' in page
    assert ALICE_NUMBER in page
    assert UNKNOWN_NUMBER in page
    assert "Paused one" not in page
    assert "WhatsApp one" not in page
    assert "Bob the stranger" not in page
    assert 'href="/readyz"' in page
    assert 'href="/admin/"' in page


def test_the_page_says_what_to_do_when_there_is_no_bot(staff):
    page = staff.get("/").content.decode()
    assert "No bot to talk to yet" in page
    assert page.count("disabled") >= 3


def test_a_choice_in_the_address_is_kept_after_reload(staff, bot, alice, bob):
    page = staff.get("/", {"bot": "demo", "person": BOB_NUMBER}).content.decode()
    assert f'value="{BOB_NUMBER}" selected' in page
    assert f'value="{ALICE_NUMBER}" selected' not in page


def test_who_is_signed_in_and_whitelisted_writes_as_themselves(client, bot, alice):
    me = UserFactory(name="Zoe", role="owner")
    client.force_login(me)
    assert f'value="{me.phone_number}" selected' in client.get("/").content.decode()


def test_a_chosen_person_is_offered_even_where_the_list_is_cut(staff, bot, alice, bob, monkeypatch):
    monkeypatch.setattr(queries, "PEOPLE_SHOWN", 1)
    assert BOB_NUMBER not in staff.get("/").content.decode()
    assert f'value="{BOB_NUMBER}" selected' in staff.get("/", {"person": BOB_NUMBER}).content.decode()
    assert "+12025550177" not in staff.get("/", {"person": "+12025550177"}).content.decode()


def test_nothing_on_the_page_needs_an_exception_from_its_content_security_policy(staff, bot, alice):
    alice.name = "<script>alert(1)</script>"
    alice.save()
    response = staff.get("/")
    policy = response["Content-Security-Policy"]
    page = response.content.decode()
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "<script>alert" not in page
    assert not re.search(r"\son\w+=|\sstyle=|<style|javascript:", page)
    for tag, body in re.findall(r"<script([^>]*)>(.*?)</script>", page, re.DOTALL):
        assert not body.strip() or 'type="application/json"' in tag
    assert not re.search(r"(src|href)=\"(https?:)?//", page)


@pytest.mark.parametrize("name", ["chat.css", "chat.js", "icon.svg", "send.svg"])
def test_every_file_the_page_names_is_there(staff, bot, name):
    assert f"simulator/{name}" in staff.get("/").content.decode()
    assert finders.find(f"simulator/{name}")


def test_the_script_never_writes_html():
    script = Path(str(finders.find("simulator/chat.js"))).read_text(encoding="utf-8")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b", script)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b"7", b'"text"', b"\xff\xfe", b"[" * 60_000, b'{"bot": "demo"}', b"9" * 5_000, b"NaN"],
    ids=lambda body: repr(body[:8]),
)
def test_a_body_that_is_no_object_of_texts_is_refused(staff, bot, body):
    response = staff.post(SEND, body, content_type="application/json")
    assert response.status_code == 400
    assert "JSON object" in response.json()["error"]


def test_a_large_body_is_refused_before_it_is_read(staff, bot, alice):
    response = staff.generic("POST", SEND, b"x", content_type="application/json", CONTENT_LENGTH=str(64 * 1024 + 1))
    assert response.status_code == 400
    assert "at most 65536 bytes" in response.json()["error"]


def test_a_post_without_its_csrf_token_is_refused(bot, alice):
    client = Client(enforce_csrf_checks=True)
    client.force_login(UserFactory.create(role="owner", is_whitelisted=False))
    page = client.get("/").content.decode()
    token = re.findall(r'data-csrf-token="(\w+)"', page)[0]
    assert send(client).status_code == 403
    assert send(client, headers={"X-CSRFToken": token}).status_code == 201


@pytest.mark.parametrize(("method", "path"), [("get", SEND), ("post", UPDATES), ("post", "/")])
def test_other_methods_are_refused(staff, method, path):
    assert getattr(staff, method)(path).status_code == 405


# --- what has happened ---


def test_a_pending_message_is_shown_as_waiting(staff, bot, alice):
    send(staff, text="Anybody?")
    InboundMessage.objects.update(available_at=timezone.now() - timedelta(seconds=42))
    told = news(staff)
    assert [(one["mine"], one["text"]) for one in told["messages"]] == [(True, "Anybody?")]
    assert told["pending"] == 1
    assert 42 <= told["waited_seconds"] < 60
    assert told["working"] is False


def test_a_worker_that_holds_the_chat_is_known_to_be_there(staff, bot, alice):
    send(staff)
    Lease.objects.create(bot=bot, address=ALICE_NUMBER, worker="w", expires_at=timezone.now() + timedelta(seconds=30))
    assert news(staff)["working"] is True
    assert news(staff, person=UNKNOWN_NUMBER)["working"] is False


@pytest.mark.parametrize("after", ["", "x", "-1", "1.5", "٣", "9" * 19, "9" * 30, "\x00"])
def test_an_id_that_is_none_is_refused(staff, bot, alice, after):
    response = staff.get(UPDATES, {"bot": "demo", "person": ALICE_NUMBER, "after": after})
    assert response.status_code == 400
    assert "after" in response.json()["error"]


@pytest.mark.parametrize("query", [{}, {"bot": "demo"}, {"person": ALICE_NUMBER}, {"bot": "\x00", "person": "\x00"}])
def test_updates_of_no_chat_are_refused(staff, bot, alice, query):
    response = staff.get(UPDATES, query)
    assert response.status_code == 400
    assert response.json()["error"]


def test_answers_are_never_cached(staff, bot, alice):
    for response in (staff.get("/"), staff.get(UPDATES, {"bot": "demo", "person": ALICE_NUMBER})):
        assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize(
    ("micros", "shown"),
    [(0, "$0.00"), (1, "$0.000001"), (120, "$0.00012"), (500_000, "$0.50"), (1_234_567_890, "$1,234.56789")],
)
def test_money_is_shown_with_as_many_digits_as_it_takes(micros, shown):
    assert exact(micros) == shown


# --- documents ---


@pytest.fixture
def document(bot, alice):
    row = InboundMessage.objects.create(bot=bot, external_id="d1", address=ALICE_NUMBER, kind="text", state="done")
    InboundMessage.objects.update(turn_key=row.pk)
    return OutboundMessage.objects.create(
        bot=bot, address=ALICE_NUMBER, turn_key=row.pk, part=1, text="<b>Größe</b>", filename="parley-data.txt",
        status="sent", external_id="console-1",
    )  # fmt: skip


@pytest.fixture
def owner(client):
    client.force_login(UserFactory(role="owner", is_whitelisted=False))
    return client


def test_a_document_is_a_file_in_the_chat(owner, document):
    (message,) = news(owner)["messages"]
    assert (message["filename"], message["size"], message["text"]) == ("parley-data.txt", 14, "")
    assert f'data-document-url="{reverse("simulator:document", args=[0])}"' in owner.get("/").content.decode()
    response = owner.get(f"/simulator/documents/{document.pk}/")
    assert b"".join(response).decode() == "<b>Größe</b>"
    assert response["Content-Disposition"] == 'attachment; filename="parley-data.txt"'
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in response["Cache-Control"]


def test_what_is_no_document_of_this_channel_cannot_be_fetched(owner, document, bot):
    whatsapp = BotFactory.create(slug="wa", channel="whatsapp")
    text = OutboundMessage.objects.create(bot=bot, address=ALICE_NUMBER, turn_key=9, part=1, text="a text")
    other = OutboundMessage.objects.create(
        bot=whatsapp, address=ALICE_NUMBER, turn_key=10, part=1, text="x", filename="x.txt"
    )
    OutboundMessage.objects.filter(pk=document.pk).update(text="")
    for pk in (text.pk, other.pk, document.pk, 0, 2**63, 10**30):
        assert owner.get(f"/simulator/documents/{pk}/").status_code == 404, pk


def test_a_document_is_for_its_person_and_for_who_may_export_people(client, document, alice):
    path = f"/simulator/documents/{document.pk}/"
    assert client.get(path).status_code == 403
    client.force_login(UserFactory(role="admin"))
    assert client.get(path).status_code == 403
    User.objects.update_role(alice, "admin")
    client.force_login(User.objects.get(pk=alice.pk))
    assert client.get(path).status_code == 200


@pytest.mark.parametrize("text", ["/export", " /EXPORT@demo now "])
def test_an_admin_asks_for_nobody_elses_data_in_their_name(staff, bot, alice, text):
    response = send(staff, text=text)
    assert response.status_code == 403
    assert "owner" in response.json()["error"]
    assert not InboundMessage.objects.exists()
    assert send(staff, text="/privacy").status_code == 201
    assert send(staff, text="what is /export?").status_code == 201


def test_an_owner_and_the_person_ask_for_it(owner, bot, alice, client):
    assert send(owner, text="/export").status_code == 201
    User.objects.update_role(alice, "admin")
    client.force_login(User.objects.get(pk=alice.pk))
    assert send(client, text="/export").status_code == 201
    assert send(client, person=UNKNOWN_NUMBER, text="/export").status_code == 201


def test_the_script_shows_documents_as_links_and_their_names_as_text():
    script = Path(finders.find("simulator/chat.js") or "").read_text()
    assert 'file.querySelector("a").textContent = message.filename' in script
    assert "innerHTML" not in script
