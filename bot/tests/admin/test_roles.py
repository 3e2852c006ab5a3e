"""What each role sees and may do in the admin, page by page, as the table of permissions says."""

import pytest
from django.contrib.admin import site
from django.contrib.auth.models import Group
from django.contrib.auth.models import Permission as DjangoPermission
from django.test import Client
from django.urls import reverse

from bot.tests.support.factories import ALICE, BotFactory, InboundFactory, whitelisted
from users.models import User
from users.permissions import DJANGO_PERMISSIONS, ROLE_PERMISSIONS, Permission, django_permissions, may
from users.roles import Role
from users.tests.factories import alice, bob, charlie

pytestmark = pytest.mark.django_db

# For role admin: which lists open, and on which something may be added. An owner opens them all.
ADMIN_SEES = {"user", "invite", "accessrequest", "usagerecord", "dailyspend", "modelprice"}
ADMIN_SEES |= {"inboundmessage", "outboundmessage", "lease", "bot"}
ADMIN_ADDS = {"user", "invite"}


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def lists() -> dict[str, str]:
    return {
        model._meta.model_name or "": reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        for model in site._registry
    }


def test_an_owner_sees_every_list() -> None:
    client = signed_in(alice())
    assert {name for name, url in lists().items() if client.get(url).status_code != 200} == set()


def test_an_admin_sees_what_the_table_says_and_nothing_else() -> None:
    client = signed_in(bob(role=Role.ADMIN))
    statuses = {name: client.get(url).status_code for name, url in lists().items()}
    assert {name for name, status in statuses.items() if status == 200} == ADMIN_SEES & set(lists())
    assert {status for name, status in statuses.items() if name not in ADMIN_SEES} == {403}
    added = {name for name, url in lists().items() if client.get(f"{url}add/").status_code == 200}
    assert added == ADMIN_ADDS & set(lists())


def test_who_only_chats_is_sent_to_the_login() -> None:
    client = signed_in(charlie())
    for url in (reverse("admin:index"), *lists().values()):
        response = client.get(url)
        assert response.status_code == 302 and "/login/" in response["Location"]


def test_rights_given_by_hand_count_for_nothing() -> None:
    person = bob(role=Role.ADMIN)
    person.user_permissions.set(DjangoPermission.objects.all())
    group = Group.objects.create(name="all")
    group.permissions.set(DjangoPermission.objects.all())
    person.groups.add(group)
    person = User.objects.get(pk=person.pk)
    assert person.get_all_permissions() == django_permissions(Role.ADMIN)
    assert not person.has_perm("bot.change_bot") and not person.has_perm("conversations.view_conversation")


def test_a_new_role_counts_at_the_next_click() -> None:
    person = bob(role=Role.ADMIN)
    client = signed_in(person)
    url = reverse("admin:usage_usagerecord_changelist")
    assert client.get(url).status_code == 200
    User.objects.update_role(person, Role.USER)
    assert client.get(url).status_code == 302


def test_every_name_in_the_table_is_a_permission_that_exists() -> None:
    there = {f"{p.content_type.app_label}.{p.codename}" for p in DjangoPermission.objects.select_related()}
    assert {name for names in DJANGO_PERMISSIONS.values() for name in names} <= there
    assert set(DJANGO_PERMISSIONS) == set(Permission)
    assert set(ROLE_PERMISSIONS) == set(Role)


def test_only_owners_hand_out_roles_and_nobody_may_do_nothing() -> None:
    assert [role for role in Role if may(User(role=role), Permission.MANAGE_STAFF)] == [Role.OWNER]
    assert not any(may(None, permission) or may(User(role=Role.USER), permission) for permission in Permission)


def test_an_admin_reads_a_bot_and_resumes_it_but_changes_nothing() -> None:
    client = signed_in(bob(role=Role.ADMIN))
    there = BotFactory.create(
        channel="whatsapp", credentials={"access_token": "EAAsecret"}, paused_at="2026-01-01T00:00Z"
    )
    page = client.get(reverse("admin:bot_bot_change", args=[there.pk]))
    assert page.status_code == 200
    assert "EAAsecret" not in page.content.decode()
    assert 'name="_save"' not in page.content.decode()
    assert client.post(reverse("admin:bot_bot_change", args=[there.pk]), {"name": "Mine"}).status_code == 403
    client.post(reverse("admin:bot_bot_changelist"), {"action": "resume", "_selected_action": [there.pk]})
    there.refresh_from_db()
    assert (there.name != "Mine", there.paused_at) == (True, None)


def test_an_admin_neither_blocks_nor_edits_nor_deletes_staff() -> None:
    owner, me, colleague, person = alice(), bob(role=Role.ADMIN), charlie(role=Role.ADMIN), charlie(is_whitelisted=True)
    User.objects.update(is_whitelisted=True)
    client = signed_in(me)
    chosen = [owner.pk, colleague.pk, person.pk]
    block = {"action": "block", "_selected_action": chosen}
    page = client.post(reverse("admin:users_user_changelist"), block).content.decode()
    assert page.count("an owner or admin: only an owner changes them") == 2
    client.post(reverse("admin:users_user_changelist"), {**block, "confirmed": "1"})
    assert set(User.objects.filter(is_whitelisted=False)) == {person}
    for other in (owner, colleague):
        assert client.post(reverse("admin:users_user_change", args=[other.pk]), {"name": "x"}).status_code == 403
        assert client.get(reverse("admin:auth_user_password_change", args=[other.pk])).status_code == 403
    assert client.post(reverse("admin:users_user_delete", args=[person.pk]), {"post": "yes"}).status_code == 403
    assert User.objects.count() == 4


def test_an_admin_replays_messages() -> None:
    message = InboundFactory.create(state="dead", address=whitelisted(ALICE).phone_number)
    client = signed_in(bob(role=Role.ADMIN))
    chosen = {"action": "replay", "_selected_action": [message.pk]}
    client.post(reverse("admin:bot_inboundmessage_changelist"), chosen)
    message.refresh_from_db()
    assert message.state == "dead"
    client.post(reverse("admin:bot_inboundmessage_changelist"), {**chosen, "confirmed": "1"})
    message.refresh_from_db()
    assert message.state == "pending"
