"""What the simulator notes in the audit log: commands in other people's names, and looks at real people's chats."""

import logging

from bot.command_call import read_call
from bot.pipeline.commands import find_command
from bot.queue.snapshot import ActiveBot
from bot.simulator.rights import known_elsewhere
from users.models import AuditEntry, User
from users.permissions import Permission, may

logger = logging.getLogger(__name__)


def note_command(visitor: User | None, text: str, bot: ActiveBot, person: User | None) -> None:
    """Note that a member of staff gives a command in somebody's name, before it is stored."""
    call = read_call(text) if visitor and visitor != person else None
    command = find_command(call.name, person) if call else None
    if visitor is None or command is None:
        return
    details = {"command": command.name, "bot": bot.slug}
    _note(AuditEntry.Action.COMMAND, visitor, person, details)
    ids = {"staff": visitor.pk, "person": person.pk if person else None}
    logger.info("simulator_command", extra={**ids, **details})


def note_look(visitor: User | None, bot: ActiveBot, person: User | None) -> None:
    """Note that a member of staff sees the chat of another, or of somebody who has chats outside the simulator."""
    # (Others see no such chat.)
    if person is None or person == visitor or not may(visitor, Permission.SEE_CONVERSATIONS):
        return
    if person.is_staff or person.pk in known_elsewhere([person]):
        _note(AuditEntry.Action.READ, visitor, person, {"bot": bot.slug})


def _note(action: AuditEntry.Action, visitor: User | None, person: User | None, details: dict[str, str]) -> None:
    subject = person.pk if person else None
    AuditEntry.objects.create(action=action, subject=subject, actor=visitor, via="simulator", details=details)
