"""WhatsApp Cloud API."""

from bot.channels.whatsapp.adapter import WhatsAppChannel

__all__ = ["WhatsAppChannel"]
