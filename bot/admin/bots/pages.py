"""The pages of bots: their list, adding one step by step, the page of one, and what its buttons do."""

from collections.abc import Iterable
from functools import partial
from typing import Any, cast

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from bot.admin.bots import deletion
from bot.admin.bots.connection import address_of, ask_provider, webhook_url
from bot.admin.bots.form import BotForm
from bot.admin.bots.listing import how_it_stands, inbox, name_and_slug, talk, waiting
from bot.admin.bots.pauses import pause, resume
from bot.admin.bots.previews import fill_in, try_prompt, use_prompt
from bot.admin.bots.sections import budget, budget_of_each, sections_of, sections_of_new, standing
from bot.admin.widgets import copyable
from bot.channels.registry import CHANNELS
from bot.models import Bot
from bot.operations.missing import missing_settings
from config.desk.lists import DeskAdmin
from conversations.models import Conversation
from users.models import User
from users.permissions import Permission, may

# What the buttons of a bot's page post to: <id>/<name>/.
VIEWS = {"test": ask_provider, "try": try_prompt, "use": use_prompt}


@admin.register(Bot)
class BotAdmin(DeskAdmin):
    """Bots: first the channel, then a form that asks for what this channel needs."""

    form = BotForm
    delete_confirmation_template = "admin/bot/bot/delete.html"
    list_display = (name_and_slug, "channel", how_it_stands, inbox, talk)
    list_filter = ("channel", "is_active", ("paused_at", admin.EmptyFieldListFilter))
    search_fields = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}
    readonly_fields = (webhook_url, standing, budget, budget_of_each, "created_at", "updated_at")
    actions = (pause, resume)

    def get_urls(self) -> list[URLPattern]:
        """Add the addresses that the buttons post to."""
        return [*(self._button(name, view) for name, view in VIEWS.items()), *super().get_urls()]

    def _button(self, name: str, view: Any) -> URLPattern:
        own = require_POST(partial(self._post, view))
        button: URLPattern = path(f"<int:pk>/{name}/", self.admin_site.admin_view(own), name=f"bot_bot_{name}")
        return button

    def _post(self, view: Any, request: HttpRequest, pk: int) -> HttpResponse:
        bot = get_object_or_404(self.get_queryset(request), pk=pk)
        if not self.has_change_permission(request, bot):
            raise PermissionDenied
        answer: HttpResponse = view(self, request, bot)
        return answer

    def has_pause_permission(self, request: HttpRequest) -> bool:
        """Return whether somebody may pause bots, and let them go on."""
        return may(cast(User, request.user), Permission.RESUME_BOTS)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Leave out Django's own deletion of several: bots are deleted one by one, from their pages."""
        actions: dict[str, Any] = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def get_queryset(self, request: HttpRequest) -> Any:
        """Leave out previews: they are opened from the page of their bot."""
        return super().get_queryset(request).filter(preview_of=None)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Count once for the page what waits."""
        changes = super().get_changelist_instance(request)
        counts = waiting()
        for bot in changes.result_list:
            bot.waiting = counts[bot.pk]
        return changes

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Ask for the channel first: what else a bot needs depends on it."""
        if request.method != "GET" or request.GET.get("channel") in CHANNELS or not self.has_add_permission(request):
            form: HttpResponse = super().add_view(request, form_url, extra_context)
            return form
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Add a bot: where do people write to it?"),
            "channels": CHANNELS.values(),
        }
        return TemplateResponse(request, "admin/bot/bot/channels.html", context)

    def get_fieldsets(self, request: HttpRequest, obj: Bot | None = None) -> Any:
        """Return the sections in the order in which an operator thinks of them."""
        if obj is None:
            return sections_of_new(request.POST.get("channel") or request.GET.get("channel") or "")
        return sections_of(obj, self.has_change_permission(request, obj))

    def get_form(self, request: HttpRequest, obj: Bot | None = None, change: bool = False, **kwargs: Any) -> Any:
        """Build the form without the secret fields, which it adds itself."""
        shown = [name for _, options in self.get_fieldsets(request, obj) for name in options["fields"]]
        kwargs["fields"] = [name for name in BotForm.Meta.fields if name in shown]
        return super().get_form(request, obj, change, **kwargs)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Ask again for the secrets of a form with errors, and go on with what was tried (?preview=1)."""
        form, bot = context["adminform"].form, context.get("original")
        if isinstance(form, BotForm) and form.errors:
            form.ask_again()
        context["may_pause"] = bot is not None and self.has_pause_permission(request)
        if bot and "preview" in request.GET and not form.is_bound and self.has_change_permission(request, bot):
            context["unsaved_preview"] = fill_in(form, bot)
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Bot, form: Any, change: bool) -> None:
        """Save a bot; of a new one keep what is shown once.

        Under a slug that is new to it, it remembers nothing of another bot that was called so.
        """
        super().save_model(request, obj, form, change)
        if not change or "slug" in form.changed_data:
            Conversation.objects.of_bots([obj.slug]).expire()
        if not change:
            request.made_up_secrets = form.made_up_secrets()  # type: ignore[attr-defined]

    def response_add(self, request: HttpRequest, obj: Bot, post_url_continue: str | None = None) -> Any:
        """Say what comes next: show once what is to be entered at the provider, or go on to the bot's page."""
        shown_once = getattr(request, "made_up_secrets", [])
        if shown_once:
            return self._next_steps(request, obj, shown_once)
        if "_addanother" not in request.POST:
            data = request.POST.copy()
            data["_continue"] = "1"
            request.POST = data  # type: ignore[assignment]
        return super().response_add(request, obj, post_url_continue)

    def get_deleted_objects(self, objs: Iterable[Any], request: HttpRequest) -> Any:
        """Return what goes, without reading a million messages; and what keeps it from going."""
        bots = list(objs)
        rows = [row for bot in bots for row in deletion.what_goes(bot)]
        return rows, {}, set(), [reason for bot in bots for reason in deletion.reasons_to_keep(bot)]

    def delete_model(self, request: HttpRequest, obj: Bot) -> None:
        """Delete a bot, and let what it remembers end: conversations know it by its slug, which another may get."""
        slugs = [obj.slug, *Bot.objects.filter(preview_of=obj).values_list("slug", flat=True)]
        with transaction.atomic():
            super().delete_model(request, obj)
            Conversation.objects.of_bots(slugs).expire()

    def _next_steps(self, request: HttpRequest, bot: Bot, shown_once: list[Any]) -> TemplateResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("%(bot)s: what comes next") % {"bot": bot},
            "original": bot,
            "webhook_url": copyable(address_of(bot)),
            "shown_once": [(credential.label, copyable(secret)) for credential, secret in shown_once],
            "steps": CHANNELS[bot.channel].setup_steps,
            "missing": missing_settings(bot),
        }
        return TemplateResponse(request, "admin/bot/bot/next_steps.html", context)
