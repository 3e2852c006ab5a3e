"""What staff do in other people's names is in the audit log under their own."""

from typing import Any

import pytest
from django.test import Client

from bot.queue import accept, snapshot
from bot.queue.snapshot import ActiveBot
from bot.tests.simulator.playing import look, send
from bot.tests.support.factories import BotFactory, event
from bot.tests.support.fakes import ScriptedChannel, ScriptedModel, work_until
from conversations.models import Conversation
from conversations.tests.factories import ConversationFactory, add_messages
from users.models import AuditEntry, User
from users.roles import Role
from users.tests.factories import UserFactory

OWNER, ADMIN, OTHER, DANA, TEST = (f"+1202555010{number}" for number in range(1, 6))
pytestmark = pytest.mark.usefixtures("turns_db")


@pytest.fixture
def people(bot: ActiveBot) -> dict[str, User]:
    """An owner, two admins, Dana, who writes by WhatsApp, and somebody whom staff have made up."""
    roles = {OWNER: Role.OWNER, ADMIN: Role.ADMIN, OTHER: Role.ADMIN, DANA: Role.USER, TEST: Role.USER}
    made = {number: UserFactory.create(phone_number=number, role=role) for number, role in roles.items()}
    ConversationFactory.create(user=made[DANA], bot=BotFactory.create(slug="wa", channel="whatsapp").slug)
    snapshot.forget()
    return made


@pytest.fixture
def owner(people: dict[str, User]) -> Client:
    client = Client()
    client.force_login(people[OWNER])
    return client


@pytest.fixture
def written(bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel) -> Any:
    """Let a member of staff write as somebody past the simulator's own walls, and return the answer."""

    def write(visitor: User, person: str, text: str) -> str:
        already = len(channel.texts)
        accept.accept(bot, [event(f"m{len(text)}{already}", address=person, text=text)], visitor=visitor.pk)
        work_until(model=model)
        return "\n".join(channel.texts[already:])

    return write


def test_a_command_in_anothers_name_is_in_the_audit_log_under_the_visitors(
    owner: Client, people: dict[str, User]
) -> None:
    assert send(owner, ADMIN, f"/deny {OTHER}").status_code == 201
    assert send(owner, OWNER, "/users").status_code == 201
    assert send(owner, DANA, "Hello").status_code == 201
    (entry,) = AuditEntry.objects.filter(action=AuditEntry.Action.COMMAND)
    assert (entry.actor, entry.subject, entry.via) == (people[OWNER], people[ADMIN].pk, "simulator")
    assert entry.details == {"command": "deny", "bot": "shop"}


def test_an_owners_look_at_a_real_persons_chat_is_in_the_audit_log(owner: Client, people: dict[str, User]) -> None:
    conversation = Conversation.objects.find_or_create(people[DANA], "shop")
    add_messages(conversation, [("user", "I am ill"), ("assistant", "Get well soon")])
    assert look(owner, DANA) == look(owner, TEST) == 200
    (entry,) = AuditEntry.objects.filter(action=AuditEntry.Action.READ)
    assert (entry.actor, entry.subject, entry.via) == (people[OWNER], people[DANA].pk, "simulator")


def test_what_somebody_erases_in_anothers_name_is_in_the_audit_log_under_theirs(
    written: Any, people: dict[str, User], bot: ActiveBot
) -> None:
    code = written(people[OWNER], TEST, "/forget").rsplit(" ", 1)[-1]
    accept.accept(bot, [event("yes", address=TEST, text=f"/forget {code}")], visitor=people[OWNER].pk)
    # (The goodbye is shown for a while, and keeps its chat meanwhile.)
    work_until(AuditEntry.objects.filter(action=AuditEntry.Action.ERASED).exists)
    entry = AuditEntry.objects.get(action=AuditEntry.Action.ERASED)
    assert (entry.actor, entry.via) == (people[OWNER], "simulator")
