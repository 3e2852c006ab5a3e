"""Two people whose every value is known: the one who is to be erased, and the one of whom everything has to stay."""

import base64
from dataclasses import dataclass

from bot.tests.system.erasure.spellings import Search
from users.phone import variants


@dataclass(frozen=True, slots=True)
class Canaries:
    """What names a person. word: stands in every text of theirs, and nowhere else; its accents are to be escaped.

    former: the number they had before. mark: two letters for what has room for no more.
    """

    mark: str
    former: str
    number: str
    bsuid: str
    word: str

    @property
    def other_spelling(self) -> str:
        """The number as providers write it as well, with or without the digit that may be left out."""
        return variants(self.number)[-1]

    def say(self, what: str) -> str:
        """Return a text that holds the word, and says where it was put."""
        return f"{self.word} {what}"

    def wamid(self, name: object, *, of: str = "") -> str:
        """Return an id of a message as WhatsApp makes it: its bytes hold the person's number as digits."""
        sender = (of or self.number).lstrip("+")
        content = b"\x1c\x18\x0c" + sender.encode() + b"\x15\x02\x00\x12" + f"{name:>16}".encode()
        return f"wamid.{base64.b64encode(content).decode()}"

    def search(self) -> Search:
        """Return a search for all of it."""
        return Search({"number": self.number, "former number": self.former, "bsuid": self.bsuid, "word": self.word})


# Brazil's ninth digit and Mexico's 1 may be left out; neither number is anything else's part.
GONE = Canaries("BR", "+5521964803175", "+5521997316482", "BR.58203947710264839175", "Zéphyrine-Quagga")
GONE_FROM_MEXICO = Canaries("MX", "+5215539604817", "+5215548207193", "MX.40917725386610928374", "Zéphyrine-Quagga")
STAYS = Canaries("DE", "+4915751936028", "+4915730418265", "DE.91827364500918273645", "Ödön-Okapi")
