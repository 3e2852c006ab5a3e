"""System checks of an installation beyond its environment (check_rules.py).

This module is imported only when a check runs, so that webhooks and workers do not pay for it.
"""

import shlex
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage
from django.db import Error as DatabaseError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from bot.ai.standing import refusal_code
from bot.channels.channel import Channel
from bot.channels.registry import CHANNELS, get_channel
from bot.models import Bot, Heartbeat
from bot.models.encryption import Unreadable
from bot.operations import check_rules as rules
from bot.operations.bootstrap import find_owner
from bot.operations.model_check import list_models
from bot.operations.model_refusals import models_in_use, standing_refusals
from bot.operations.schedules import late_since, missing_schedules
from bot.operations.unbounded import is_near, nothing_bounds_cost
from bot.reasons import reason_of
from config.file_modes import open_files, private_files
from config.loopback import names_this_machine
from usage.days import today
from usage.prices import has_price

SHORTEST_TOKEN = 20
SEEN = timedelta(days=1)
RUNNING = timedelta(minutes=10)


def check_settings() -> list[CheckMessage]:
    """Return what is wrong with the settings; nobody is asked."""
    model_urls = ["OPENAI_BASE_URL"] if settings.OPENAI_API_KEY else []
    found = [
        rules.PLAIN_HTTP.broken(name=name)
        for name in (*model_urls, *(channel.url_setting for channel in CHANNELS.values() if channel.url_setting))
        if (url := getattr(settings, name)).startswith("http://") and not is_near(url)
    ]
    if settings.METRICS_TOKEN and len(settings.METRICS_TOKEN) < SHORTEST_TOKEN:
        found.append(rules.METRICS_TOKEN_SHORT.broken())
    if files := list(open_files(private_files(settings.DATABASES["default"], settings.BASE_DIR))):
        found.append(rules.FILES_OPEN.broken(files=shlex.join(str(file) for file in files)))
    if settings.PRODUCTION and nothing_bounds_cost():
        found.append(rules.NO_BUDGET.broken())
    if settings.DEBUG and not names_this_machine(settings.PUBLIC_URL):
        found.append(rules.DEVELOPMENT_IN_PUBLIC.broken(url=settings.PUBLIC_URL))
    return found


def check_database() -> list[CheckMessage]:
    """Check the content of the database, and that it can be read."""
    try:
        waiting = apps_to_migrate()
        if waiting:
            return [rules.NOT_MIGRATED.broken(apps=", ".join(waiting))]
        return [*check_content(), *check_running(), *about_pooler(), *check_model()]
    except DatabaseError as error:
        # The class only: the message may contain the address and the user.
        return [rules.DATABASE_SILENT.broken(error=type(error).__name__)]


def apps_to_migrate() -> list[str]:
    """Return the apps with unapplied migrations."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return sorted({migration.app_label for migration, _backwards in plan})


def check_content() -> list[CheckMessage]:
    """Check bots, prices, people and schedules."""
    bots = list(Bot.objects.filter(is_active=True))
    found = [message for bot in bots for message in about_bot(bot)]
    found += about_public_url(bots)
    found += about_prices(bots)
    found += about_readiness(bots)
    if find_owner() is None:
        found.append(rules.NO_OWNER.broken())
    if missing := missing_schedules():
        found.append(rules.SCHEDULES_MISSING.broken(names=", ".join(sorted(missing))))
    return found


def about_bot(bot: Bot) -> Iterator[CheckMessage]:
    """Warn about a bot that cannot be talked to."""
    try:
        channel = get_channel(bot.channel)
    except LookupError:
        yield rules.CHANNEL_UNKNOWN.broken(bot=bot.slug, channel=bot.channel)
        return
    if isinstance(bot.credentials, Unreadable):
        yield rules.CREDENTIALS_UNREADABLE.broken(bot=bot.slug)
        return
    missing = [str(credential.label) for credential in channel.credentials if not bot.credentials.get(credential.name)]
    if channel.account_label and not bot.account_id:
        missing.append(str(channel.account_label))
    if missing:
        yield rules.CREDENTIALS_MISSING.broken(bot=bot.slug, channel=channel.label, missing=", ".join(missing))


def about_public_url(bots: list[Bot]) -> Iterator[CheckMessage]:
    """Warn if providers cannot reach this server."""
    reachable = settings.PUBLIC_URL.startswith("https://") and not is_near(settings.PUBLIC_URL)
    slugs = [bot.slug for bot in bots if takes_webhooks(bot.channel)]
    if slugs and not reachable:
        yield rules.NOT_REACHABLE.broken(url=settings.PUBLIC_URL, bots=", ".join(slugs))


def takes_webhooks(slug: str) -> bool:
    """Return whether a channel receives webhooks, which always need a secret to be trusted."""
    try:
        channel: Channel = get_channel(slug)
    except LookupError:
        return False
    return bool(channel.credentials)


def about_prices(bots: list[Bot]) -> Iterator[CheckMessage]:
    """Warn if a configured model has no price."""
    if settings.LLM_PROVIDER != "openai" or not settings.UNPRICED_MICROS_PER_MILLION:
        return
    models = {settings.OPENAI_GPT_MODEL}
    for bot in bots:
        models |= {bot.model, *bot.models_to_choose()} - {""}
    unknown = sorted(model for model in models if not has_price(model, settings.OPENAI_BASE_URL, today()))
    if unknown:
        yield rules.PRICE_UNKNOWN.broken(models=", ".join(unknown))


def about_readiness(bots: list[Bot]) -> Iterator[CheckMessage]:
    """Warn if an outage of the model would make web processes unready for webhooks."""
    asked = settings.LLM_PROVIDER == "openai" and "openai" in settings.READINESS_CHECKS
    if asked and any(takes_webhooks(bot.channel) for bot in bots):
        yield rules.READINESS_OF_MODEL.broken()


def check_model() -> list[CheckMessage]:
    """Ask the model's server, for 5 s at most, for refusals and for models in use that end soon."""
    if settings.LLM_PROVIDER != "openai":
        return []
    bots = list(Bot.objects.filter(is_active=True))
    names = models_in_use(bots)
    codes = [refused.code for refused in standing_refusals(bots)]
    listed = list_models()
    if listed.refusal and (code := refusal_code(listed.refusal)) not in codes:
        codes.append(code)
    found = [rules.MODEL_REFUSES.broken(reason=reason_of(code)) for code in codes]
    if not listed.reachable:
        found.append(rules.MODEL_SILENT.broken())
    found += [rules.MODEL_ENDS.broken(model=name, day=day) for name, day in listed.ending(names, today())]
    if listed.models and not is_azure(settings.OPENAI_BASE_URL):
        found += [rules.MODEL_UNLISTED.broken(model=name) for name in names if name not in listed.models]
    return found


def is_azure(url: str) -> bool:
    """Return whether a server names models by deployments, which it does not list."""
    return (urlsplit(url).hostname or "").endswith(".azure.com")


def about_pooler() -> Iterator[CheckMessage]:
    """Warn if a pooler has dropped the timeouts of connections."""
    if getattr(connection, "is_pooled", False):
        with connection.cursor() as cursor:
            cursor.execute("SHOW statement_timeout")
            if cursor.fetchone() == ("0",):
                yield rules.TIMEOUTS_MISSING.broken()


def check_running() -> list[CheckMessage]:
    """Check running processes by their heartbeats."""
    found, now = [], timezone.now()
    schedulers = Heartbeat.objects.filter(kind=Heartbeat.Kind.SCHEDULER)
    was_there = schedulers.exists()
    is_there = schedulers.filter(seen_at__gte=now - SEEN).exists()
    # There is no row after a clean shutdown and in a fresh installation: then check for late tasks.
    if not is_there and (was_there or late_since(now - SEEN)):
        found.append(rules.SCHEDULER_SILENT.broken())
    if connection.vendor == "sqlite":
        running = Heartbeat.objects.filter(seen_at__gte=now - RUNNING).values_list("process", flat=True)
        hosts = sorted({process.partition(":")[0] for process in running})
        if len(hosts) > 1:
            found.append(rules.SQLITE_SHARED.broken(hosts=", ".join(hosts)))
    return found
