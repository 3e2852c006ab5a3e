"""The console channel: the simulator's page and the terminal, which read replies from the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from bot.channels.channel import Channel
from bot.channels.connection import Account, Connection
from bot.channels.events import Event, InvalidBody, WebhookRequest
from bot.channels.sending import OutboundText

if TYPE_CHECKING:
    import aiohttp


class ConsoleChannel(Channel):
    """A channel without a provider: no webhook, no credentials, and every send succeeds."""

    slug: ClassVar[str] = "console"
    label: ClassVar[str | Promise] = _("Console (simulator and terminal)")
    about: ClassVar[str | Promise] = _(
        "For trying things out: the bot talks on this site’s own chat page, and in a terminal. Needs no account."
    )
    # (No dialect: it shows what the model wrote, and the simulator finds replies in the conversation's memory by that.)
    max_text_length: ClassVar[int] = 4096
    reads_outbox: ClassVar[bool] = True
    max_document_bytes: ClassVar[int] = 16 * 1024 * 1024

    def verify(self, account: Account, request: WebhookRequest) -> bool:
        """Refuse every webhook: this channel has none."""
        return False

    def parse(self, account: Account, body: bytes) -> list[Event]:
        """Refuse every body.

        Raises:
            InvalidBody: always.
        """
        raise InvalidBody("the console channel has no webhook")

    async def check(self, client: aiohttp.ClientSession, account: Account) -> Connection:
        """Return that there is nobody to ask."""
        return Connection(gettext("This channel has no provider and needs no connection."))

    async def send(self, client: aiohttp.ClientSession, account: Account, message: OutboundText) -> str:
        """Return an id: the stored text is the delivery."""
        return f"console-{message.id}"
