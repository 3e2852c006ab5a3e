"""Conversations in the admin: a list, and each as a chat transcript with what its answers cost and became of."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from unfold.views import ChangeList

from bot.admin.widgets import ago
from bot.history.transcript import transcript_of
from bot.models import Bot
from bot.simulator.queries import CONSOLE
from config.desk.ids import read_id
from conversations.admin import SHOWN_MESSAGES, ConversationAdmin
from conversations.models import Conversation
from users.models import Identity, User

# Of one name: whoever looks for somebody among more names them more exactly.
MOST_FOUND = 200


class BotFilter(SimpleListFilter):
    """The bot it is with, by its name."""

    title = _("bot")
    parameter_name = "bot"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the bots."""
        return [(bot.slug, bot.name or bot.slug) for bot in Bot.objects.order_by("name", "slug").only("slug", "name")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the conversations with the chosen bot."""
        return queryset.filter(bot=self.value()) if self.value() else queryset


class ConversationChangeList(ChangeList):
    """A list whose rows know the names of the bots."""

    def get_results(self, request: HttpRequest) -> None:
        """Read the page's rows, and the bots."""
        super().get_results(request)
        page: Any = self.result_list  # type: ignore[has-type]
        self.result_list = list(page)
        names = dict(Bot.objects.values_list("slug", "name"))
        for row in self.result_list:
            row.bot_names = names


@admin.register(Conversation)
class TranscriptAdmin(ConversationAdmin):
    """The list of conversations, and each as a chat."""

    list_display = ("who", "bot_name", "last_message", "forgotten")
    list_filter = (BotFilter,)
    sortable_by = ("last_message", "forgotten")
    # (By an index; in the order of their last messages, which each conversation's end follows from.)
    ordering = ("-expires_at", "-pk")
    change_form_template = "admin/conversations/conversation/transcript.html"

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Return the list that knows the bots."""
        return ConversationChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Conversation], search_term: str
    ) -> tuple[QuerySet[Conversation], bool]:
        """Find by person (a part of the name, a whole number in any spelling, an address) and by bot."""
        term = search_term.strip()
        if not term:
            return queryset, False
        people = set(User.objects.filter(name__icontains=term).values_list("pk", flat=True)[:MOST_FOUND])
        people.update(Identity.objects.filter(address=term).values_list("user_id", flat=True)[:MOST_FOUND])
        if owner := User.objects.find_by_phone_number(term):
            people.add(owner.pk)
        bots = Bot.objects.filter(Q(slug__icontains=term) | Q(name__icontains=term)).values_list("slug", flat=True)
        # (A bot that is gone is found by its whole slug.)
        return queryset.filter(Q(user__in=people) | Q(bot__in=[*bots, term])), False

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Show the transcript in place of a form."""
        conversation: Conversation = kwargs["obj"]
        bot = Bot.objects.filter(slug=conversation.bot).first()
        return super().render_change_form(
            request, {**context, **self._page(request, conversation, bot)}, *args, **kwargs
        )

    @admin.display(description=_("person"))
    def who(self, conversation: Conversation) -> str:
        """Return the person."""
        return str(conversation.user)

    @admin.display(description=_("bot"), ordering="bot")
    def bot_name(self, conversation: Conversation) -> str:
        """Return the bot's name; what is stored is its slug."""
        named: dict[str, str] = getattr(conversation, "bot_names", {})
        return named.get(conversation.bot) or conversation.bot or "–"

    @admin.display(description=_("last message"), ordering="expires_at")
    def last_message(self, conversation: Conversation) -> str:
        """Return how long ago the last message was: the conversation's end was put off by it."""
        return ago(conversation.expires_at - timedelta(days=settings.CONVERSATION_TTL_DAYS))

    @admin.display(description=_("forgotten"), ordering="expires_at")
    def forgotten(self, conversation: Conversation) -> str:
        """Return when it will be forgotten, if nobody writes."""
        return ago(conversation.expires_at)

    def _page(self, request: HttpRequest, conversation: Conversation, bot: Bot | None) -> dict[str, Any]:
        # What has expired counts as forgotten, until the purge deletes it.
        expired = conversation.expires_at <= timezone.now()
        before = read_id(request.GET.get("before", ""))
        return {
            "conversation": conversation,
            "bot": bot,
            "expired": expired,
            "before": before,
            "transcript": None if expired else transcript_of(conversation, bot, SHOWN_MESSAGES, before),
            "simulator": self._simulator(conversation, bot),
            "chat": urlencode({"person": conversation.user_id, **({"bot__id__exact": bot.pk} if bot else {})}),
        }

    def _simulator(self, conversation: Conversation, bot: Bot | None) -> str:
        person = conversation.user
        if bot is None or not bot.is_active or bot.channel != CONSOLE or not person.phone_number:
            return ""
        return format_html(
            "{}?{}", reverse("simulator:chat"), urlencode({"bot": bot.slug, "person": person.phone_number})
        )
