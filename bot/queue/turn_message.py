"""The inbound message of a turn, as it was claimed."""

from dataclasses import dataclass, field
from datetime import datetime

from bot.channels.events import TOLD


@dataclass(frozen=True, slots=True)
class TurnMessage:
    """One inbound message of a turn.

    notice: text to send in this chat, of a row that nobody wrote. visitor: the id of the member of staff who wrote it
    in the simulator. note: its content besides the text, described for the model. quotes: the provider's id of the
    message it answers.
    """

    id: int
    external_id: str
    kind: str
    text: str = field(repr=False)
    sent_at: datetime | None = None
    attempts: int = 0
    other_address: str = field(default="", repr=False)
    profile_name: str = field(default="", repr=False)
    notice: str = field(default="", repr=False)
    request_id: str = ""
    received_at: datetime | None = None
    visitor: int | None = None
    note: str = field(default="", repr=False)
    quotes: str = field(default="", repr=False)

    @property
    def is_readable(self) -> bool:
        """Whether it holds anything that the model can answer."""
        return bool(self.text.strip()) or (self.kind in TOLD and bool(self.note))
