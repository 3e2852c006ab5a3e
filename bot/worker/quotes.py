"""Quoted messages of claimed turns, as far as kept: our replies for a day, people's messages while pending."""

from bot.channels.words import fact
from bot.models import InboundMessage, OutboundMessage
from bot.pipeline.turn import Turn

LONGEST_QUOTE = 500

# A bot's id, and the provider's id of a message.
_Key = tuple[int, str]


def load_quoted(turns: list[Turn]) -> None:
    """Load the messages that turns of known people quote, within their own chat; two queries, only if any is quoted."""
    wanted = {
        (turn.bot.id, message.quotes)
        for turn in turns
        if turn.user and not turn.parts
        for message in turn.messages
        if message.quotes
    }
    if not wanted:
        return
    found = _found(wanted)
    for turn in turns:
        for message in turn.messages:
            address, words = found.get((turn.bot.id, message.quotes), ("", ""))
            if address == turn.address:
                turn.quoted[message.quotes] = words


def _found(wanted: set[_Key]) -> dict[_Key, tuple[str, str]]:
    """Return the address and the words of each message that is found."""
    named = {"bot__in": {bot for bot, _ in wanted}, "external_id__in": {external_id for _, external_id in wanted}}
    ours = OutboundMessage.objects.filter(**named).exclude(external_id="")
    theirs = InboundMessage.objects.filter(**named)
    found = {
        (bot, external_id): (address, _words("answers your earlier message", filename or text))
        for bot, external_id, address, text, filename in ours.values_list(
            "bot", "external_id", "address", "text", "filename"
        )
    }
    for bot, external_id, address, payload in theirs.values_list("bot", "external_id", "address", "payload"):
        found[bot, external_id] = address, _words("answers their own earlier message", payload.get("text", ""))
    return found


def _words(who: str, text: str) -> str:
    quoted = fact(text, LONGEST_QUOTE)
    return f"[{who}: {quoted}]" if quoted else f"[{who}]"
