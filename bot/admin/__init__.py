"""The bot's pages in the admin."""

from bot.admin.bots import BotAdmin
from bot.admin.messages import AccessRequestAdmin, InboundMessageAdmin, LeaseAdmin, OutboundMessageAdmin

__all__ = ["AccessRequestAdmin", "BotAdmin", "InboundMessageAdmin", "LeaseAdmin", "OutboundMessageAdmin"]
