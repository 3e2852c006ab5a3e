"""Says each message of the table as somebody made for it, to somebody made for it; all in one run of a worker."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from django.utils import timezone

from bot.models import AccessRequest, ModelChoice
from bot.pipeline.commands import forget
from bot.queue.snapshot import ActiveBot
from bot.tests.admin.roles.chat_table import Said
from conversations.models import Message
from conversations.tests.factories import ConversationFactory, MessageFactory
from users.invites import create_invite
from users.models import Invite, User
from users.roles import Role
from users.tests.factories import UserFactory

WATCHES: dict[str, Callable[["Cell"], Any]] = {
    "": lambda cell: None,
    "memory": lambda cell: Message.objects.filter(conversation__user=cell.person).count(),
    "choice": lambda cell: list(ModelChoice.objects.filter(user=cell.person).values_list("model", flat=True)),
    "sender": lambda cell: getattr(User.objects.for_identity("console", cell.address), "pk", None),
    "target": lambda cell: User.objects.filter(phone_number=cell.target, is_whitelisted=True).exists(),
    "request": lambda cell: AccessRequest.objects.filter(pk=cell.request).exists(),
}


@dataclass
class Cell:
    """A message of the table, who sends it from which address, whom it names, and how things stood before."""

    said: Said
    writer: str
    address: str
    person: User | None
    target: str = ""
    request: int = 0
    text: str = ""
    before: Any = None
    # The member of staff at the simulator's page; None: it came from a channel.
    visitor: User | None = None
    name: str = ""
    status: int = 0

    @property
    def has_changed(self) -> bool:
        """Return whether what it would change is another."""
        return bool(WATCHES[self.said.changes](self) != self.before)


class Numbers:
    """Numbers that nobody has had before."""

    def __init__(self) -> None:
        self.last = 0

    def next(self) -> str:
        """Return another number."""
        self.last += 1
        return f"+49151560{self.last:05}"


def make_person(number: str, writer: str, **fields: Any) -> User | None:
    """Return somebody of a role with something in memory, or None: a stranger."""
    if writer == "stranger":
        return None
    person = UserFactory.create(phone_number=number, role=writer, name=f"{writer.title()} {number[-5:]}", **fields)
    MessageFactory.create(conversation=ConversationFactory.create(user=person, bot="shop"))
    return person


def make_cell(said: Said, writer: str, numbers: Numbers, bot: ActiveBot, address: str = "") -> Cell:
    """Make who says it and whom it is about, and note how things stand."""
    number = address or numbers.next()
    known = User.objects.filter(phone_number=number).first()
    cell = Cell(said, writer, number, known or (None if address else make_person(number, writer)))
    cell.target = numbers.next() if said.target else ""
    if said.target not in ("", "new"):
        state, _, role = said.target.rpartition(" ")
        blocked = "blocked" in said.target
        role = role if role in Role.values else Role.USER
        UserFactory.create(phone_number=cell.target, role=role, is_whitelisted=not blocked, name=f"Target {state}")
    if "{request}" in said.text:
        asked = AccessRequest.objects.create(bot_id=bot.id, address=cell.target, profile_name="Sven")
        cell.request = asked.pk
    cell.text = said.text.format(
        target=cell.target, request=cell.request, forget=code_of(number), code=code_in(said), owners=code_in(said)
    )
    cell.before = WATCHES[said.changes](cell)
    return cell


def code_in(said: Said) -> str:
    """Return the code of an invite: a new person's, or an owner's that an admin has made in some way."""
    if "{code}" in said.text:
        return str(create_invite().code)
    if "{owners}" in said.text:
        invite = create_invite(person=UserFactory.create(role=Role.OWNER))
        changed: dict[str, Any] = {"created_by": UserFactory.create(role=Role.ADMIN)}
        if any(one.name == "from_command" for one in Invite._meta.fields):
            changed["from_command"] = False
        Invite.objects.filter(pk=invite.pk).update(**changed)
        return str(invite.code)
    return ""


def code_of(number: str) -> str:
    """Return the code that confirms that somebody is to be forgotten."""
    turn: Any = SimpleNamespace(address=number, bot=SimpleNamespace(channel=SimpleNamespace(slug="console")))
    return forget._code(turn, int(time.time()) // forget.CODE_SECONDS)


def make_scene(bot: ActiveBot) -> None:
    """Make who is listed, and who waits."""
    # (Far enough from now that they come first in the lists, however many there are.)
    later = timezone.now() + timedelta(days=1)
    AccessRequest.objects.create(bot_id=bot.id, address="+4915157000001", profile_name="Sven Waits", last_seen_at=later)
