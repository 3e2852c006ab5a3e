"""What webhooks have to know, kept in memory for a few seconds: the bots in use, and who was erased.

So no webhook pays for reading and decrypting its bot.
"""

import logging
import time
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils.crypto import salted_hmac

from bot.channels.base import Account, Channel
from bot.channels.registry import CHANNELS
from bot.models import Bot
from bot.models.encryption import Unreadable
from config.db.reconnect import retry_on_stale_connection
from config.logs.redaction import register_secrets
from users.models import Tombstone

logger = logging.getLogger(__name__)

# A change in the admin (a pause, a new secret) counts in every process after this long, without a restart.
FRESH_SECONDS = 5.0
# A bot that is not known may be new: the table is read again, but not for every request to a URL that is nobody's.
MISSED_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class ActiveBot:
    """An active bot as webhooks and turns see it: plain values, its adapter and its decrypted account.

    version is when the bot was saved last.
    """

    id: int
    slug: str
    channel: Channel
    account: Account
    system_prompt: str
    model: str
    burst_wait_seconds: int
    tells_strangers: bool
    version: datetime
    allowed_models: tuple[str, ...] = ()
    daily_budget_micros: int | None = None
    user_daily_budget_micros: int | None = None
    rate_limit_per_minute: int | None = None
    language: str = ""
    reasoning_effort: str = ""


@dataclass(frozen=True, slots=True)
class Directory:
    """A snapshot: the active bots, and when which addresses were erased, by their digests (users/models/tombstones.py).

    left_out: the ids of active bots that the running code cannot serve, as their channel is not one of its own.
    """

    taken_at: float
    by_slug: dict[tuple[str, str], ActiveBot]
    by_id: dict[int, ActiveBot]
    by_account: dict[tuple[str, str], ActiveBot]
    tombstones: dict[str, datetime]
    left_out: frozenset[int] = frozenset()

    @property
    def age(self) -> float:
        """Return how many seconds ago it was read."""
        return time.monotonic() - self.taken_at

    def find_bot(self, channel: str, slug: str) -> ActiveBot | None:
        """Return the active bot of a webhook URL."""
        return self.by_slug.get((channel, slug))

    def bot_for_account(self, addressed: ActiveBot, account_id: str) -> ActiveBot | None:
        """Return the bot that an event of a webhook belongs to.

        A provider may deliver the events of several accounts to one URL. Another account's bot gets its events only
        when it trusts the same secrets: who can sign for one bot cannot speak to another.
        """
        if not account_id or account_id == addressed.account.account_id:
            return addressed
        other = self.by_account.get((addressed.channel.slug, account_id))
        if other is None:
            # A bot whose account id was not entered takes everything that is signed for it.
            return addressed if not addressed.account.account_id else None
        return other if other.channel.same_signer(addressed.account, other.account) else None


_latest: Directory | None = None
# What was logged of rows already: once in each process, because the table is read every few seconds.
_told: set[tuple[str, int, datetime]] = set()


def latest() -> Directory | None:
    """Return the latest snapshot of this process without asking the database, however old it is."""
    return _latest


def current(fresh_seconds: float = FRESH_SECONDS) -> Directory:
    """Return a snapshot that is at most so old, read from the database where there is none.

    Raises:
        django.db.Error: there is no answer.
    """
    global _latest
    directory = _latest
    if directory is None or directory.age > fresh_seconds:
        directory = _latest = retry_on_stale_connection(_read)
    return directory


def find_bot(channel: str, slug: str) -> ActiveBot | None:
    """Return the active bot of a webhook URL."""
    return current().find_bot(channel, slug) or current(MISSED_SECONDS).find_bot(channel, slug)


def bot_by_id(bot_id: int) -> ActiveBot | None:
    """Return an active bot by its primary key."""
    return current().by_id.get(bot_id) or current(MISSED_SECONDS).by_id.get(bot_id)


def tombstones() -> dict[str, datetime]:
    """Return when which addresses were erased, by their digests (users/models/tombstones.py)."""
    return current().tombstones


def forget() -> None:
    """Read all of it anew at the next request of this process."""
    global _latest
    _latest = None
    _told.clear()


def _read() -> Directory:
    rows = list(Bot.objects.filter(is_active=True))
    bots = [bot for row in rows if (bot := _active(row)) is not None]
    register_secrets("bots", [secret for bot in bots for secret in bot.account.credentials.values()])
    return Directory(
        taken_at=time.monotonic(),
        by_slug={(bot.channel.slug, bot.slug): bot for bot in bots},
        by_id={bot.id: bot for bot in bots},
        by_account={(bot.channel.slug, bot.account.account_id): bot for bot in bots if bot.account.account_id},
        tombstones=dict(Tombstone.objects.values_list("digest", "erased_at")),
        left_out=frozenset(row.pk for row in rows) - {bot.id for bot in bots},
    )


def echo_keys() -> tuple[bytes, ...]:
    """Return what signs this installation's ids for providers: one for all bots, as their events may come together."""
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return tuple(salted_hmac("bot.directory", "echo", secret=one, algorithm="sha256").digest() for one in secrets)


def _active(bot: Bot) -> ActiveBot | None:
    """Return a bot as webhooks and turns see it; None where its channel is not known: that is no other bot's matter."""
    channel = CHANNELS.get(bot.channel)
    if channel is None:
        if _is_news("channel_unknown", bot):
            logger.error("channel_unknown", extra={"bot": bot.slug, "channel": bot.channel})
        return None
    if isinstance(bot.credentials, Unreadable) and _is_news("credentials_unreadable", bot):
        logger.error("credentials_unreadable", extra={"bot": bot.slug, "channel": bot.channel})
    return ActiveBot(
        id=bot.pk,
        slug=bot.slug,
        channel=channel,
        account=Account(bot.slug, bot.account_id, bot.credentials, echo_keys=echo_keys()),
        system_prompt=bot.system_prompt,
        model=bot.model,
        burst_wait_seconds=bot.burst_wait_seconds,
        tells_strangers=bot.tells_strangers,
        version=bot.updated_at,
        allowed_models=bot.models_to_choose(),
        daily_budget_micros=bot.daily_budget_micros,
        user_daily_budget_micros=bot.user_daily_budget_micros,
        rate_limit_per_minute=bot.rate_limit_per_minute,
        language=bot.language,
        reasoning_effort=bot.reasoning_effort,
    )


def _is_news(event: str, bot: Bot) -> bool:
    """Return whether nobody was told of it, of this version of the bot's row."""
    told = event, bot.pk, bot.updated_at
    is_news = told not in _told
    _told.add(told)
    return is_news
