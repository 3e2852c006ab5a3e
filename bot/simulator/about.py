"""What the simulator's page shows beside a chat: its cost, the person's budget and commands, ways to the admin."""

from collections.abc import Iterator

from django.db.models import Count, Q, Sum
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from bot.models import Bot
from bot.pipeline.commands.registry import commands_for
from bot.queue.snapshot import ActiveBot
from bot.simulator.chat import choose_bot
from bot.simulator.choosing import choose_person
from bot.simulator.rights import check_person, may_write, visitor_of
from bot.simulator.views import json_view
from config.desk.money import exact
from conversations.models import Conversation
from usage.budgets import left_today, user_cap
from usage.models import UsageRecord
from users.models import User


@require_GET
@json_view
def about(request: HttpRequest) -> HttpResponse:
    """Return {"paused", "cost", "budget", "over_budget", "known", "commands", "links"} of a chat (?bot=, ?person=)."""
    bot = choose_bot(request.GET.get("bot", ""))
    address, person = choose_person(request.GET.get("person", ""))
    check_person(request, address, person)
    budget, over_budget = budget_line(bot, person)
    return JsonResponse(
        {
            "paused": paused_line(bot),
            "cost": cost_of_chat(bot, person) if person else "",
            "budget": budget,
            "over_budget": over_budget,
            "known": person is not None,
            "commands": list(commands(request, person)),
            "links": [{"text": text, "url": url} for text, url in links(request, bot, person)],
        }
    )


def cost_of_chat(bot: ActiveBot, person: User) -> str:
    """Return in words what a person's chat with a bot has cost, as far as usage is kept. One query."""
    # (By person: there is an index. What one person has used is not much.)
    records = UsageRecord.objects.filter(user=person, bot=bot.slug)
    sums = records.aggregate(cost=Sum("cost_micros"), unpriced=Count("pk", filter=Q(cost_micros=None)))
    said = _("This chat has cost %(cost)s") % {"cost": exact(sums["cost"] or 0)}
    unpriced = sums["unpriced"]
    if unpriced:
        without = ngettext("%d call without a known price", "%d calls without a known price", unpriced)
        said = f"{said} + {without % unpriced}"
    return said


def paused_line(bot: ActiveBot) -> str:
    """Return in words that a bot is paused, if it is. One query."""
    paused = Bot.objects.filter(pk=bot.id).exclude(paused_at=None).values_list("pause_reason", flat=True).first()
    return "" if paused is None else _("The bot is paused (%(reason)s): messages wait.") % {"reason": paused or "–"}


def budget_line(bot: ActiveBot, person: User | None) -> tuple[str, bool]:
    """Return in words what is left of a person's budget today, and whether that is nothing. One query, or none."""
    cap = user_cap(person, bot.user_daily_budget_micros)
    if person is None:
        return _("Not on the whitelist"), False
    if cap is None:
        return _("No daily budget"), False
    left = left_today(person.pk, cap)
    return _("Left today: %(left)s of %(budget)s") % {"left": exact(left), "budget": exact(cap)}, left == 0


def commands(request: HttpRequest, person: User | None) -> Iterator[dict[str, str]]:
    """Yield the commands that may be given in this person's name, in the order of /help."""
    visitor = visitor_of(request)
    for command in commands_for(person, *([visitor] if visitor else [])):
        usable = command.for_everybody if person is None else command.listed
        if usable and may_write(request, f"/{command.name}", person):
            yield {"name": f"/{command.name}", "argument": str(command.argument), "help": str(command.help)}


def links(request: HttpRequest, bot: ActiveBot, person: User | None) -> Iterator[tuple[str, str]]:
    """Yield the pages of the admin about this chat that the visitor may see."""
    if person and request.user.has_perm("conversations.view_conversation"):
        conversation = Conversation.objects.filter(user=person, bot=bot.slug).values_list("pk", flat=True).first()
        if conversation:
            yield _("Transcript"), reverse("admin:conversations_conversation_change", args=(conversation,))
    if person and request.user.has_perm("users.view_user"):
        yield _("Person"), reverse("admin:users_user_change", args=(person.pk,))
