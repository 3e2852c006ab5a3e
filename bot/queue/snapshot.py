"""In-memory snapshot of active bots and tombstones, cached for a few seconds.

It saves each webhook reading and decrypting its bot.
"""

import logging
import time
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils.crypto import salted_hmac

from bot.channels.channel import Channel
from bot.channels.connection import Account
from bot.channels.registry import CHANNELS
from bot.models import Bot
from bot.models.encryption import Unreadable
from config.db.reconnect import retry_on_stale_connection
from config.logs.redaction import register_secrets
from users.models import Tombstone

logger = logging.getLogger(__name__)

# Cache lifetime: a change in the admin (a pause, a new secret) reaches every process after this long.
FRESH_SECONDS = 5.0
# An unknown bot may be new: the snapshot is refreshed, but not for every request to a URL that does not exist.
MISSED_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class ActiveBot:
    """An active bot as webhooks and turns see it: plain values, its adapter and its decrypted account.

    version: when the bot was last saved.
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
    """A snapshot of the active bots, and of tombstones: {digest of an address: when it was erased}.

    left_out: the ids of active bots that this process cannot serve, because their channel is unknown to it.
    """

    taken_at: float
    by_slug: dict[tuple[str, str], ActiveBot]
    by_id: dict[int, ActiveBot]
    by_account: dict[tuple[str, str], ActiveBot]
    tombstones: dict[str, datetime]
    left_out: frozenset[int] = frozenset()

    @property
    def age(self) -> float:
        """Return the seconds since it was read."""
        return time.monotonic() - self.taken_at

    def find_bot(self, channel: str, slug: str) -> ActiveBot | None:
        """Return the active bot of a webhook URL."""
        return self.by_slug.get((channel, slug))

    def bot_for_account(self, addressed: ActiveBot, account_id: str) -> ActiveBot | None:
        """Return the bot that an event of a webhook belongs to.

        A provider may deliver the events of several accounts to one URL. Another account's bot gets its events only
        if it trusts the same secrets: whoever can sign for one bot must not reach another.
        """
        if not account_id or account_id == addressed.account.account_id:
            return addressed
        other = self.by_account.get((addressed.channel.slug, account_id))
        if other is None:
            # A bot without an account id takes everything that is signed for it.
            return addressed if not addressed.account.account_id else None
        return other if other.channel.same_signer(addressed.account, other.account) else None


_latest: Directory | None = None
# Problems of rows that were logged already, because the table is read every few seconds.
_told: set[tuple[str, int, datetime]] = set()


def latest() -> Directory | None:
    """Return the cached snapshot, however old, without a query."""
    return _latest


def current(fresh_seconds: float = FRESH_SECONDS) -> Directory:
    """Return a snapshot that is at most so many seconds old, from the cache or the database.

    Raises:
        django.db.Error: the database does not answer.
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
    """Return {digest of an address: when it was erased} (users/models/tombstones.py)."""
    return current().tombstones


def forget() -> None:
    """Invalidate the cached snapshot of this process."""
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
    """Return the keys that sign our message ids, the same for all bots: one delivery may mix their events."""
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return tuple(salted_hmac("bot.directory", "echo", secret=one, algorithm="sha256").digest() for one in secrets)


def _active(bot: Bot) -> ActiveBot | None:
    """Return a bot as webhooks and turns see it; None if its channel is unknown, so that other bots still work."""
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
    """Return whether an event was not logged yet for this version of the bot's row."""
    told = event, bot.pk, bot.updated_at
    is_news = told not in _told
    _told.add(told)
    return is_news
