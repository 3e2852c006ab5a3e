"""How a reply came about, as the chat page shows it."""

from dataclasses import asdict

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from bot.history.timeline import Line, draw, summary, worth_telling
from bot.history.trace import trace
from bot.models import InboundMessage, OutboundMessage
from bot.simulator.queries import CONSOLE, is_of_holder
from bot.simulator.rights import check_person
from bot.simulator.views import json_view
from users.models import User


@require_GET
@json_view
def story(request: HttpRequest, id: int) -> HttpResponse:
    """Return {"summary": …, "steps": […]} of the turn that a message of a console bot's outbox belongs to."""
    address = OutboundMessage.objects.filter(pk=id, bot__channel=CONSOLE).values_list("address", flat=True).first()
    if address is not None:
        check_person(request, address, User.objects.for_identity(CONSOLE, address))
    told = tell(id) if address is None or is_of_holder(id, address) else None
    if told is None:
        return JsonResponse({"error": _("How this reply came about is not known any more.")}, status=404)
    said, lines = told
    return JsonResponse({"summary": said, "steps": [asdict(line) for line in lines]})


def tell(id: int) -> tuple[str, list[Line]] | None:
    """Return how the reply came about that an outbox row is part of: in a sentence, and in lines; None: not known."""
    message = _first_message(id)
    if message is None:
        return None
    steps = list(worth_telling(trace(message).steps))
    return summary(steps), draw(steps)


def _first_message(id: int) -> InboundMessage | None:
    """Return the message that the turn of an outbox row began with; its id is the turn's key."""
    turn = OutboundMessage.objects.filter(pk=id, bot__channel=CONSOLE).values("turn_key")
    return InboundMessage.objects.select_related("bot").filter(pk__in=turn).first()
