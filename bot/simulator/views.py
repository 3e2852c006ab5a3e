"""The simulator: a chat page that talks to bots of the console channel, for staff, and for anyone in development."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial, wraps
from io import BytesIO
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.http.request import UnreadablePostError
from django.shortcuts import render, resolve_url
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET, require_POST, require_safe

from bot.queue.snapshot import ActiveBot
from bot.simulator import queries
from bot.simulator.chat import BadChoice, check_text, choose_bot, max_length, write
from bot.simulator.choosing import choose_person, make_over_budget
from bot.simulator.notes import note_command, note_look
from bot.simulator.overbudget import OVER_BUDGET_NUMBER
from bot.simulator.previews import seconds_until_known
from bot.simulator.rights import (
    NotTheirs,
    check_person,
    is_allowed,
    may_read_document,
    may_write,
    those_to_be,
    visitor_of,
)
from bot.text import clean
from config.desk.ids import LARGEST_ID, read_id

# 4,096 characters as JSON escapes, each up to 12 bytes, and the rest of the object.
MAX_BODY_BYTES = 64 * 1024
LONGEST_SEARCH = 100
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
View = Callable[..., HttpResponse]


def json_view(view: View) -> View:
    """Refuse whom the simulator is not for (403) and answer a bad choice with 400, each as {"error": …}."""

    @wraps(view)
    def wrapper(request: HttpRequest, **path: Any) -> HttpResponse:
        if not is_allowed(request):
            return JsonResponse({"error": _("Only staff may use the simulator. Please sign in again.")}, status=403)
        try:
            return view(request, **path)
        except BadChoice as error:
            return JsonResponse({"error": str(error)}, status=400)
        except NotTheirs as refusal:
            return JsonResponse({"error": str(refusal)}, status=403)

    return never_cache(wrapper)


@require_safe
@never_cache
@ensure_csrf_cookie
def chat(request: HttpRequest) -> HttpResponse:
    """Show the chat page; ?bot= and ?person= choose, as far as they exist."""
    if not is_allowed(request):
        if request.user.is_authenticated:
            raise PermissionDenied
        return redirect_to_login(request.get_full_path(), resolve_url(settings.LOGIN_URL))
    # Who is signed in tries the bot as themselves, if they may.
    chosen_person = request.GET.get("person") or getattr(request.user, "phone_number", None) or ""
    chosen_bot = request.GET.get("bot", "")
    bots = queries.bots(chosen_bot)
    context = {
        "bots": bots,
        "preview": next((bot for bot in bots if bot.preview_of), None),
        "may_change_bots": request.user.has_perm("bot.change_bot"),
        "people": queries.people(chosen_person, partial(those_to_be, visitor_of(request))),
        "chosen_bot": chosen_bot,
        "chosen_person": chosen_person,
        "max_length": max_length(),
        "words": {
            "sending": _("sending"),
            "refused": _("The server refused this. Reload the page, and sign in again if asked."),
            "unsent": _("Not sent: the server cannot be reached. Your text is back in its field."),
            "unreachable": _("The server cannot be reached. Trying again…"),
            "bytes": _("bytes"),
            "nobody": _("Nobody is called so."),
            "looking": _("Looking it up…"),
            "unknown": _("The server cannot be reached. Close this and open it again."),
        },
    }
    response = render(request, "simulator/chat.html", context)
    response["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    return response


@require_POST
@json_view
def send(request: HttpRequest) -> HttpResponse:
    """Store {"bot": slug, "person": number, "text": …} as an inbound message; the worker takes it from there."""
    fields = read_object(request)
    bot = choose_bot(fields["bot"])
    address, user = choose_person(fields["person"])
    text = check_text(fields["text"])
    if address == OVER_BUDGET_NUMBER:
        user = make_over_budget(request)
    check_person(request, address, user)
    if not may_write(request, text, user):
        return JsonResponse({"error": _("Only an owner may ask for this in somebody else's name.")}, status=403)
    visitor = visitor_of(request)
    note_command(visitor, text, bot, user)
    event = write(known_everywhere(bot), address, text, visitor.pk if visitor else None)
    message = {"key": f"in-{event.external_id}", "mine": True, "text": event.text, "at": event.sent_at}
    return JsonResponse({"message": message}, status=201)


@require_GET
@json_view
def updates(request: HttpRequest) -> HttpResponse:
    """Return what happened in the chat of ?bot= and ?person= since the outbox id ?after= (without: what is recent)."""
    bot: ActiveBot = choose_bot(request.GET.get("bot", ""))
    address, user = choose_person(request.GET.get("person", ""))
    check_person(request, address, user)
    after = read_after(request.GET.get("after"))
    news = queries.read_news(bot.id, bot.slug, address, user, after)
    if after is None and news.messages:
        note_look(visitor_of(request), bot, user)
    return JsonResponse(asdict(news))


@require_safe
@never_cache
def document(request: HttpRequest, id: int) -> HttpResponseBase:
    """Return the content of a document in the chat, as a file to keep."""
    if not is_allowed(request):
        raise PermissionDenied
    found = queries.find_document(id) if id <= LARGEST_ID else None
    if found is None:
        raise Http404
    if not may_read_document(request, found.address):
        raise PermissionDenied
    # (As a file and never as a page: what people wrote stands in it.)
    content = BytesIO(found.text.encode())
    return FileResponse(content, as_attachment=True, filename=found.filename, content_type="text/plain; charset=utf-8")


@require_GET
@json_view
def people(request: HttpRequest) -> HttpResponse:
    """Return {"people": […]}: a few whom ?q= finds, by name or number."""
    asked = clean(request.GET.get("q", "")).strip()[:LONGEST_SEARCH]
    found = queries.search_people(asked, partial(those_to_be, visitor_of(request))) if asked else []
    return JsonResponse({"people": [asdict(one) for one in found]})


def known_everywhere(bot: ActiveBot) -> ActiveBot:
    """Return a bot whose messages wait until every worker knows what it was changed to, if it is a preview."""
    wait = max(bot.burst_wait_seconds, seconds_until_known(bot.slug))
    return replace(bot, burst_wait_seconds=wait)


def read_after(raw: str | None) -> int | None:
    """Return an outbox id, or None when none was given.

    Raises:
        BadChoice: it is no id.
    """
    if raw is None:
        return None
    if (after := read_id(raw)) is None:
        raise BadChoice(_("“after” must be the id of a message."))
    return after


def read_object(request: HttpRequest) -> dict[str, str]:
    """Return the body's bot, person and text.

    Raises:
        BadChoice: it is too large, no JSON object, or one of the three is no text.
    """
    problem = _("Send a JSON object with the texts “bot”, “person” and “text”.")
    try:
        if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_BODY_BYTES:
            raise BadChoice(_("The request is too large: at most %(most)d bytes.") % {"most": MAX_BODY_BYTES})
        body: Any = json.loads(request.body)
    except BadChoice:
        raise
    except (ValueError, RecursionError, UnreadablePostError):
        raise BadChoice(problem) from None
    if not isinstance(body, dict) or not all(isinstance(body.get(name), str) for name in ("bot", "person", "text")):
        raise BadChoice(problem)
    return body
