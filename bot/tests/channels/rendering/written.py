"""Write Markdown in WhatsApp's marks."""

from bot.channels.rendering import render
from bot.channels.rendering.dialects import WHATSAPP

LIMIT = 4096


def rendered(markdown: str, limit: int = LIMIT) -> str:
    (text,) = render(markdown, WHATSAPP, limit)
    return text
