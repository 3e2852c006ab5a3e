"""Who may use the simulator, and what there is not for everybody's name: staff write as anybody in it."""

from django.conf import settings
from django.http import HttpRequest

from bot.pipeline.commands import find_command, read_call
from users.models import User
from users.permissions import Permission, may


def is_allowed(request: HttpRequest) -> bool:
    """Return whether this visitor may use the simulator."""
    return settings.DEBUG or (request.user.is_authenticated and request.user.is_staff)


def may_write(request: HttpRequest, text: str, person: User | None) -> bool:
    """Return whether this visitor may write this as a person (None: the one nobody is).

    A few commands bring what only the person should see, or cannot be undone: in another's name they are for those who
    may do the same in the admin.
    """
    call = read_call(text)
    command = find_command(call.name, person) if call else None
    return command is None or command.on_behalf is None or _may_for(request, command.on_behalf, person)


def may_make_people_up(request: HttpRequest) -> bool:
    """Return whether this visitor may write as a person whom that makes: who may add people."""
    visitor = request.user if isinstance(request.user, User) else None
    return settings.DEBUG or may(visitor, Permission.MANAGE_PEOPLE)


def may_read_document(request: HttpRequest, address: str) -> bool:
    """Return whether this visitor may read a document that was sent to this address."""
    return _may_for(request, Permission.EXPORT_PEOPLE, User.objects.for_identity("console", address))


def _may_for(request: HttpRequest, permission: Permission, person: User | None) -> bool:
    visitor = request.user if isinstance(request.user, User) else None
    return settings.DEBUG or person is None or person == visitor or may(visitor, permission)
