"""Which secret each role may see, and where: every page is opened, and every list is searched and filtered for them."""

from typing import Any

import pytest
from django.apps import apps
from django.contrib.admin import site
from django.db.models import Field
from django.urls import reverse

from bot.tests.admin.roles.cells import listed
from bot.tests.admin.roles.crawling import crawl
from bot.tests.admin.roles.page_table import HAS_QUEUE, MODELS
from bot.tests.admin.roles.world import ROLES, World

pytestmark = pytest.mark.django_db

# Of each kind of secret: the pages on which owners are shown it. What stands nowhere is shown to nobody.
OWNERS_SEE = {
    "conversation": {"conversations_conversation_change", "updates"},
    "outbox": {"bot_outboundmessage_change", "updates"},
    "failed": {"bot_outboundmessage_change", "updates"},
    "inbox": {"conversations_conversation_change"},
    "waiting": {"conversations_conversation_change", "updates"},
    "document": {"document"},
    # Of an invite for staff.
    "note": {"users_invite_changelist", "users_invite_change"},
}
# Whose chats in the simulator admins are shown: of somebody ordinary who writes to the bots nowhere else.
ADMINS_SEE = {"conversation": {"updates"}, "outbox": {"updates"}, "failed": {"updates"}, "inbox": {"updates"},
              "waiting": {"updates"}, "document": {"document"}}  # fmt: skip
OF_ADMINS = "tess"
# Besides the texts of a model's own columns: what its list must not be filtered by.
OF_INVITES = ("code", "note")
HIDDEN = {
    "users.user": ("password", "name__startswith", "phone_number__startswith", "identities__address", "last_login"),
    "users.invite": ("code", "person__phone_number", "person__password", "note", "created_by__password"),
    "users.auditentry": ("details", "actor__password"),
    "bot.accessrequest": ("bot__credentials", "bot__system_prompt"),
    "bot.bot": ("credentials", "system_prompt", "inbound_messages__payload", "outbound_messages__text", "account_id"),
    "bot.inboundmessage": ("payload", "payload__text", "steps", "bot__credentials", "address", "request_id"),
    "bot.outboundmessage": ("text", "filename", "bot__credentials", "address"),
    "bot.lease": ("bot__credentials", "address", "worker"),
    "conversations.conversation": ("messages__content", "user__password", "user__phone_number"),
    "usage.usagerecord": ("user__password", "user__phone_number", "user__identities__address"),
    "usage.dailyspend": ("user__password", "user__phone_number"),
    "usage.modelprice": (),
    "django_q.schedule": ("args", "kwargs", "hook"),
    "django_q.success": ("args", "kwargs", "result"),
    "django_q.failure": ("args", "kwargs", "result"),
    "django_q.ormq": ("payload",),
}
if not HAS_QUEUE:
    del HIDDEN["django_q.ormq"]


def may_see(role: str, secret: str) -> set[tuple[str, str]]:
    """Return where a role may see a secret: which pages, and of whose chat."""
    kind, _, place = secret.partition(" ")
    who, _, bot = place.partition(" on ")
    pages = {"owner": OWNERS_SEE, "admin": ADMINS_SEE}.get(role, {}).get(kind, set())
    if role == "admin" and who != OF_ADMINS:
        return set()
    whose = {"updates": who if bot == "console" and who != "nameless" else None}
    if kind == "document" and bot != "console":
        return set()
    if bot != "console":
        pages = pages - {"updates"}
    return {(page, whose.get(page, "") or "") for page in pages if whose.get(page, "") is not None}


@pytest.mark.parametrize("role", ROLES)
def test_a_secret_is_seen_only_where_the_table_says(world: World, role: str) -> None:
    seen = crawl(world, role)
    wrong = {secret: found for secret in world.secrets if (found := seen[secret] - may_see(role, secret))}
    assert not wrong, listed(wrong)
    known = [secret for secret in world.secrets if "nameless" not in secret]
    if role == "owner":  # (so that the walk is known to come to where they are)
        unseen = {secret: left for secret in known if (left := may_see(role, secret) - seen[secret])}
        assert not unseen, listed(unseen)


def asked(world: World, role: str, label: str, **query: str) -> Any:
    return world.clients[role].get(reverse(f"admin:{label.replace('.', '_')}_changelist"), query)


def is_refused(response: Any) -> bool:
    """Return whether a filter was refused: 400, or led to the list with ?e=1."""
    return response.status_code in (400, 403) or (response.status_code == 302 and "e=1" in response["Location"])


def filters_of(label: str) -> set[str]:
    """Return the lookups that nobody may make in a list: of its own columns with text, and of those of other tables."""
    admin = next(admin for model, admin in site._registry.items() if model._meta.label_lower == label)
    declared = {one if isinstance(one, str) else one[0] for one in admin.list_filter if isinstance(one, str | tuple)}
    texts = (
        "CharField",
        "TextField",
        "JSONField",
        "BinaryField",
        "SlugField",
        "EncryptedJSONField",
        "PickledObjectField",
    )
    own = {
        one.name
        for one in admin.model._meta.get_fields()
        if isinstance(one, Field) and one.get_internal_type() in texts and one.name not in declared
    }
    return {name if "startswith" in name else f"{name}__startswith" for name in own | set(HIDDEN[label])}


@pytest.mark.parametrize("role", ["admin", "owner"])
@pytest.mark.parametrize("label", sorted(MODELS))
def test_a_filter_that_nobody_offers_is_refused(world: World, role: str, label: str) -> None:
    found = {name: asked(world, role, label, **{name: "k"}) for name in sorted(filters_of(label))}
    taken = {name: response.status_code for name, response in found.items() if not is_refused(response)}
    assert not taken, listed(taken)


@pytest.mark.parametrize("role", ["admin", "owner"])
@pytest.mark.parametrize("name", ["password__startswith", "identities__address__startswith", "name__startswith"])
def test_the_export_of_people_is_filtered_by_nothing_else_either(world: World, role: str, name: str) -> None:
    response = world.clients[role].get(reverse("admin:users_user_export"), {name: "m"})
    assert response.status_code in (302, 400)


@pytest.mark.parametrize("role", ["admin", "owner"])
@pytest.mark.parametrize("label", sorted(MODELS))
def test_no_search_tells_a_secret_from_nonsense(world: World, role: str, label: str) -> None:
    if not site.get_model_admin(apps.get_model(label)).search_fields or asked(world, role, label).status_code == 403:
        return
    found = {}
    for secret in sample(world, role):
        page = asked(world, role, label, q=world.secrets[secret])
        if page.status_code == 200 and page.context and page.context["cl"].result_count:
            found[secret] = page.context["cl"].result_count
    assert not found, listed(found)


def sample(world: World, role: str) -> list[str]:
    """Return a secret of each kind; of codes those whose invites are not for this role."""
    kinds = {secret.partition(" ")[0]: secret for secret in world.secrets if not secret.startswith(OF_INVITES)}
    codes = [secret for secret in world.secrets if secret.startswith(OF_INVITES) and not may_look_for_codes(role)]
    return [*kinds.values(), *codes]


def may_look_for_codes(role: str) -> bool:
    """Return whether whoever holds a code may look for its invite: who may invite everybody."""
    return role == "owner"


@pytest.mark.parametrize(("role", "status"), [("nobody", 302), ("user", 302), ("admin", 200), ("owner", 200)])
def test_an_autocompletion_offers_people_by_name_only(world: World, role: str, status: int) -> None:
    query = {"app_label": "users", "model_name": "invite", "field_name": "person", "term": "o"}
    response = world.clients[role].get(reverse("admin:autocomplete"), query)
    assert response.status_code == status
    if status == 200:
        said = response.content.decode()
        assert all(set(one) == {"id", "text"} for one in response.json()["results"])
        assert not any(world[name].phone_number in said for name in ("owner2", "admin2", "dana"))


@pytest.mark.parametrize("role", ["admin", "owner"])
@pytest.mark.parametrize("field", [("bot", "bot", "preview_of"), ("conversations", "conversation", "user"),
                                   ("users", "identity", "user"), ("users", "invite", "created_by")])  # fmt: skip
def test_other_fields_are_completed_with_what_their_lists_say_too(
    world: World, role: str, field: tuple[str, str, str]
) -> None:
    query = dict(zip(("app_label", "model_name", "field_name"), field, strict=True))
    response = world.clients[role].get(reverse("admin:autocomplete"), {**query, "term": "a"})
    assert response.status_code in (200, 403)
    if response.status_code == 200:
        said = response.content.decode()
        assert all(set(one) == {"id", "text"} for one in response.json()["results"])
        assert not any(text in said for text in world.secrets.values())
        assert not any(world[name].phone_number in said for name in ("owner2", "admin2", "dana"))
