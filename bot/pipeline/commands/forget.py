"""/forget: erase everything held about the sender, after a confirmation."""

import time

from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bot.pipeline.commands.registry import command
from bot.pipeline.commands.shared.writer import writer_of
from bot.pipeline.result import After
from bot.pipeline.services import Services
from bot.pipeline.turn import Turn
from bot.privacy.erasure.erase import erase
from bot.privacy.erasure.farewell import Farewell
from users.errors import LastOwner
from users.permissions import Permission

# A code is valid during its interval and the next one.
CODE_SECONDS = 600
CODE_MINUTES = CODE_SECONDS // 60


@command(
    "forget",
    gettext_lazy("delete everything I hold about you"),
    order=8,
    for_everybody=True,
    on_behalf=Permission.DELETE_PEOPLE,
    takes_code=True,
)
async def forget(turn: Turn, services: Services, argument: str) -> str:
    """Reply what would be erased and how to confirm it; with the right code erase the person, and say goodbye."""
    code = argument.strip()
    if not code:
        return _explanation(turn)
    if code not in _codes(turn):  # not a secret: it prevents accidents
        wrong = _("This is not the right code, or it is too old. Nothing was deleted.")
        return f"{wrong}\n{_explanation(turn)}"
    goodbye = _("Done: everything I held about you is deleted. If you write to me again, you are new to me. Goodbye!")
    # Set before the erasure begins, so that the rows are deleted even if the turn is cut off meanwhile.
    turn.result.after = After.DELETE_CHAT
    try:
        await services.side_thread.run(_erase, turn, goodbye)
    except LastOwner as refusal:
        turn.result.after = After.KEEP
        return str(refusal)
    turn.user = None
    turn.history.clear()
    return goodbye


def _erase(turn: Turn, goodbye: str) -> None:
    erase(writer_of(turn), via=turn.via, actor=turn.visitor, farewell=Farewell(turn.lease, turn.message_ids, goodbye))


def _explanation(turn: Turn) -> str:
    says = _(
        "This deletes everything I hold about you: your number, your name, our conversations, and your access to me. "
        "What your messages have cost stays as sums that name nobody. It cannot be undone; /export gives you a copy "
        "before."
    )
    how = _("To confirm it, write within %(minutes)d minutes: /forget %(code)s")
    return f"{says}\n{how % {'minutes': CODE_MINUTES, 'code': _codes(turn)[0]}}"


def _codes(turn: Turn) -> list[str]:
    """Return the codes that confirm it in this chat: the current and the previous one, derived without storage."""
    now = int(time.time()) // CODE_SECONDS
    return [_code(turn, period) for period in (now, now - 1)]


def _code(turn: Turn, period: int) -> str:
    name = f"{turn.bot.channel.slug}:{turn.address}:{period}"
    digest = salted_hmac("bot.pipeline.commands.forget", name, algorithm="sha256").digest()
    return f"{int.from_bytes(digest[:8], 'big') % 10_000:04}"
