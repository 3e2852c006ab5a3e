"""An invite's code is seen once, by who made it; who may not make an invite sees nothing of it, by any way in."""

import json
import logging
import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from bot.models import InboundMessage
from bot.privacy.export.document import export
from bot.privacy.subjects import subject_of
from bot.queue import accept
from bot.queue.snapshot import ActiveBot
from bot.tests.support.factories import BOB, STRANGER, WhatsAppBotFactory, event
from bot.tests.support.fakes import ScriptedChannel, ScriptedModel, work_until
from users.invites import Outcome, create_invite, redeem
from users.models import Invite, User
from users.roles import Role
from users.tests.factories import UserFactory, alice, charlie

pytestmark = [pytest.mark.promise("invite codes"), pytest.mark.django_db]

LIST = reverse("admin:users_invite_changelist")
ADD = reverse("admin:users_invite_add")
NOTE = "second phone"


def browser(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def make(client: Client, **fields: Any) -> tuple[int, str]:
    """Make an invite in the admin; return its id and the code that the page shows."""
    until = timezone.localtime() + timedelta(days=2)
    dates = {"expires_at_0": f"{until:%Y-%m-%d}", "expires_at_1": "12:00:00"}
    response = client.post(ADD, {"person": "", "note": NOTE, "max_uses": "1", **dates, **fields}, follow=True)
    return Invite.objects.latest("pk").pk, code_on(response)


def code_on(response: Any) -> str:
    found = re.search(r"/join (\w{12})<", response.content.decode())
    assert found is not None
    return found[1]


def page_of(pk: int) -> str:
    return reverse("admin:users_invite_change", args=(pk,))


def new_code_of(pk: int) -> str:
    return reverse("admin:users_invite_new_code", args=(pk,))


@pytest.fixture
def owner() -> User:
    return alice()


@pytest.fixture
def admin() -> User:
    return UserFactory.create(name="Carl", role=Role.ADMIN)


def test_an_admin_does_not_become_the_owner_by_an_invite_made_for_the_owner(owner: User, admin: User) -> None:
    WhatsAppBotFactory.create(contact="+4930123456")
    pk, code = make(browser(owner), person=str(owner.pk))
    spy = browser(admin)
    looks = [LIST, page_of(pk), f"{page_of(pk)[: -len('change/')]}history/", "/admin/"]
    looks += [f"{LIST}?q={NOTE}", f"{LIST}?q=Alice", f"{LIST}?state=open", f"/admin/search/?s={NOTE}"]
    seen = "".join(spy.get(look, follow=True).content.decode() for look in looks)

    assert code not in seen
    assert page_of(pk) not in seen, "not even that there is such an invite"
    for query in ({"q": code}, {"q": code[:4]}):
        assert list(spy.get(LIST, query).context["cl"].result_list) == []
    assert redeem(code, "whatsapp", "+447700900666", None, "").outcome is Outcome.JOINED, "it was the right code"


def test_a_code_is_in_no_table_no_session_no_log_and_no_address(
    owner: User, admin: User, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for person in (owner, admin):
        client = browser(person)
        pk, code = make(client)
        second = code_on(client.post(new_code_of(pk)))
        for one in (code, second):
            assert tables_with(one) == []
            assert one not in caplog.text and one not in str(client.cookies)
            assert all(one not in json.dumps(session.get_decoded()) for session in Session.objects.all())
            for look in (LIST, page_of(pk), "/admin/"):
                assert one not in client.get(look).content.decode(), "not a second time, to its maker either"
            assert list(client.get(LIST, {"q": one}).context["cl"].result_list) == []
    assert set(LogEntry.objects.values_list("action_flag", flat=True)) == {1, 2}


def tables_with(text: str) -> list[str]:
    """Return the tables that hold a text, in whatever column."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608 (of the database itself)
            if any(text in str(value) for row in cursor.fetchall() for value in row):
                found.append(table)
    return found


def test_the_page_with_the_code_is_no_redirect_and_is_kept_by_no_cache(owner: User) -> None:
    client = browser(owner)
    pk, code = make(client)
    response = client.post(new_code_of(pk))
    assert response.status_code == 200 and "no-store" in response["Cache-Control"]
    assert code_on(response) != code and "former code does not work" in response.content.decode()
    for spent, outcome in ((code, Outcome.INVALID), (code_on(response), Outcome.JOINED)):
        assert redeem(spent, "whatsapp", STRANGER, None, "").outcome is outcome


def test_a_new_code_is_posted_with_a_token_by_staff_for_an_open_invite(owner: User, admin: User) -> None:
    invite = create_invite()
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(owner)
    assert careful.post(new_code_of(invite.pk)).status_code == 403
    assert browser(admin).get(new_code_of(invite.pk)).status_code == 405
    assert browser(UserFactory.create(is_staff=True)).post(new_code_of(invite.pk)).status_code == 403
    assert browser(admin).post(new_code_of(invite.pk + 1)).status_code == 404
    Invite.objects.revoke(timezone.now())
    assert browser(admin).post(new_code_of(invite.pk)).url == page_of(invite.pk)  # type: ignore[attr-defined]
    invite.refresh_from_db()
    assert redeem(invite.code, "whatsapp", STRANGER, None, "").outcome is Outcome.INVALID


@pytest.mark.parametrize("way", ["for staff", "for who became staff", "for the admin themself"])
def test_who_may_not_make_an_invite_sees_nothing_of_it(owner: User, admin: User, way: str) -> None:
    person = {"for staff": owner, "for the admin themself": admin}.get(way) or charlie()
    shown = create_invite(note="for a customer", created_by=owner)
    hidden = create_invite(person=person, note=NOTE, created_by=owner)
    if way == "for who became staff":
        assert page_of(hidden.pk) in browser(admin).get(LIST).content.decode(), "until then it is there"
        User.objects.update_role(person, Role.OWNER)
    spy, nobody = browser(admin), hidden.pk + 1

    assert spy.get(LIST, {"id__exact": hidden.pk}).status_code == 400, "no filter of the list"
    for query in ({}, {"q": NOTE}, {"q": person.name}, {"state": "open"}):
        found = [invite.pk for invite in spy.get(LIST, query).context["cl"].result_list]
        assert found == ([shown.pk] if query in ({}, {"state": "open"}) else []), query
    assert spy.get(LIST).context["cl"].result_count == 1
    for name in ("change", "history", "delete"):
        there, absent = (spy.get(reverse(f"admin:users_invite_{name}", args=(pk,))) for pk in (hidden.pk, nobody))
        assert there.status_code == absent.status_code in (302, 403), name
    assert spy.post(new_code_of(hidden.pk)).status_code == 404
    for extra in ({}, {"select_across": "1"}):
        spy.post(LIST, {"action": "revoke", "_selected_action": [hidden.pk], **extra})
    assert page_of(hidden.pk) not in spy.get(reverse("admin:users_user_change", args=(person.pk,))).content.decode()
    hidden.refresh_from_db()
    assert hidden.revoked_at is None

    assert {invite.pk for invite in browser(owner).get(LIST).context["cl"].result_list} == {shown.pk, hidden.pk}


def test_an_owner_sees_renews_and_revokes_an_invite_of_staff(owner: User, admin: User) -> None:
    client = browser(owner)
    invite = create_invite(person=admin, created_by=owner)
    assert "New code" in client.get(page_of(invite.pk)).content.decode()
    code = code_on(client.post(new_code_of(invite.pk)))
    assert redeem(code, "telegram", "700700", None, "").outcome is Outcome.JOINED
    other = create_invite(person=admin, created_by=owner)
    client.post(LIST, {"action": "revoke", "_selected_action": [other.pk]})
    other.refresh_from_db()
    assert other.revoked_at is not None


def test_who_is_given_everything_that_is_held_about_them_gets_no_code(owner: User) -> None:
    person = charlie(role=Role.ADMIN)
    invites = [create_invite(person=person, created_by=owner), create_invite(created_by=person)]
    told = json.dumps(export(subject_of(person)), default=str)
    assert "invites_for_you" in told
    assert not any(text in told for invite in invites for text in (invite.code, invite.digest))


@pytest.mark.usefixtures("turns_db")
def test_what_was_sent_in_to_join_is_gone_when_that_was_answered(
    bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel, settings: Any
) -> None:
    settings.REDIS_URL = None
    code = create_invite(max_uses=9).code
    accept.accept(bot, [event("m1", text=f"/join {code}", address=STRANGER)])
    assert tables_with(code) == ["bot_inboundmessage"]
    work_until(model=model)
    assert channel.texts and tables_with(code) == []


def test_a_dead_letter_with_a_code_shows_it_to_nobody(bot: ActiveBot, owner: User, admin: User) -> None:
    code = create_invite(person=owner, created_by=owner).code
    accept.accept(bot, [event("m1", text=f"/join {code}", address=BOB)])
    InboundMessage.objects.update(state="dead", error_code="INTERNAL_ERROR")
    page = reverse("admin:bot_inboundmessage_change", args=(InboundMessage.objects.get().pk,))
    for person in (owner, admin):
        for look in (page, reverse("admin:bot_inboundmessage_changelist")):
            assert code not in browser(person).get(look).content.decode()
