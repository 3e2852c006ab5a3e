"""Be the person, in front of running processes: write, fail, ask to be forgotten; and be Meta, which delivers again."""

import re
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.tests.support.factories import BOB, whatsapp_body, whatsapp_message, whatsapp_value
from bot.tests.support.processes import System, wait_for
from bot.tests.system.canary.sentry_server import SentryServer
from bot.tests.system.erasure.canaries import Canaries
from bot.tests.system.faults.binaries import free_port

OWNER = "+12025550147"
GOODBYE = "everything I held about you is deleted"
PREPARE = f"""
from users.models import User
User.objects.create_superuser({OWNER!r}, "correct horse battery staple", name="Olivia", is_whitelisted=True)
"""


def somebody() -> Canaries:
    """Return a person whose values stand in no file of the project."""
    former, number = (f"+55219{secrets.choice('6789')}{secrets.randbelow(10**7):07}" for _ in range(2))
    bsuid = f"BR.{secrets.randbelow(10**20):020}"
    return Canaries("BR", former, number, bsuid, f"Zéphyrine-Quagga-{secrets.token_hex(4)}")


def production(sentry: SentryServer, temporary: str, redis_url: str | None) -> dict[str, str]:
    """Return the environment of a production. redis_url: without one (beside SQLite) its Redis is down."""
    return {
        "ENVIRONMENT": "production",
        "DJANGO_SETTINGS_MODULE": "bot.tests.system.erasure.settings",
        "SECRET_KEY": secrets.token_urlsafe(50),
        "ALLOWED_HOSTS": "parley.example.org",
        "PUBLIC_URL": "https://parley.example.org",
        "ALLOW_SQLITE": "true",
        "REDIS_URL": redis_url or f"redis://127.0.0.1:{free_port()}/0",
        "OPENAI_API_KEY": "sk-erasure",
        "LOG_LEVEL": "DEBUG",
        "SENTRY_DSN": sentry.dsn,
        "TMPDIR": temporary,
    }


@dataclass
class Life:
    """What the person does with a running system. bodies: every webhook that was delivered for them, in order."""

    system: System
    canaries: Canaries
    bodies: list[bytes] = field(default_factory=list)
    _number: int = 0

    # --- what happens ---

    def is_let_in(self) -> None:
        """Let the owner allow them and look for them; the answers name them."""
        for text in (f"/allow {self.canaries.former} {self.canaries.word}", f"/users {self.canaries.word}"):
            self.deliver(self.message(text, OWNER), theirs=False)
            self.rest()

    def writes(self) -> None:
        """Write everything there is to write, from a number that changes."""
        say, former = self.canaries.say, self.canaries.former
        self.deliver(self.message(say("hello"), former))
        self.rest()
        moved = {"type": "user_changed_number", "wa_id": self.canaries.number[1:], "body": f"{former} {say('moved')}"}
        self.deliver(self.item("system", former, system=moved))
        self.deliver(self.message(say("from my new number")))
        self.rest()
        self.deliver(self.message(say("as my other spelling"), self.canaries.other_spelling))
        media = {"id": "1", "caption": say("a picture"), "filename": say("a file")}
        for kind in ("image", "document", "audio", "sticker", "video"):
            self.deliver(self.item(kind, **{kind: media}))
        self.deliver(self.item("location", location={"name": say("home"), "latitude": 1, "longitude": 2}))
        self.deliver(self.item("contacts", contacts=[{"name": {"formatted_name": say("a friend")}}]))
        self.deliver(self.item("reaction", reaction={"emoji": self.canaries.word, "message_id": "wamid.x"}))
        self.deliver(self.item("unsupported", errors=[{"code": 131051, "title": say("unsupported")}]))
        self.deliver(self.item("text", text={"body": [self.canaries.number]}))
        self.deliver(self.item("text", text={"body": ""}))
        self.deliver(self.message(say("without a number"), self.canaries.bsuid))
        self.rest()
        self.deliver(self.message("/export"))
        self.rest()

    def meets_failures(self) -> None:
        """Have the model refuse, and the channel refuse, break, and keep silent."""
        say, quoted = self.canaries.say, f"{self.canaries.word} {self.canaries.number}"
        refused = {"error": {"message": quoted, "type": quoted, "code": quoted}}
        self.system.model.script([{"for": "to the model", "status": 400, "json": refused}])
        self.deliver(self.message(say("to the model")))
        self.rest()
        for words, code in (("to a dead letter", 131026), ("again to one", 131047)):
            error = {"error": {"message": quoted, "code": code, "error_data": {"details": quoted}}}
            self.system.whatsapp.script([{"for": words, "status": 400, "json": error}])
            self.deliver(self.message(say(words)))
            self.rest()
        self.system.whatsapp.script([{"for": "into the void", "reset": True}])
        self.deliver(self.message(say("into the void")))
        self.rest()
        failed = [{"code": 131026, "title": quoted, "message": quoted, "error_data": {"details": quoted}}]
        self.status(self.sent()[0], "failed", errors=failed)

    def is_being_answered(self) -> None:
        """Ask from the chat without a number what the model takes its time for."""
        self.system.model.script([{"for": "slowly", "delay": 8}])
        self.deliver(self.message(self.canaries.say("slowly"), self.canaries.bsuid))
        wait_for(lambda: "slowly" in str(self.system.model.requests()), "the model is asked")

    def is_forgotten(self) -> None:
        """Ask for it, confirm it, and wait for the farewell."""
        self.deliver(self.message("/forget"))
        wait_for(lambda: bool(self.codes()), "the code is told")
        self.deliver(self.message(f"/forget {self.codes()[-1]}"))
        wait_for(lambda: bool(self.farewells()), "the farewell is sent")

    def is_delivered_again(self) -> None:
        """Have all that was ever delivered come again, and statuses of all that was ever sent."""
        for body in [*self.bodies]:
            assert self.system.post(body) == 200
        for request in self.sent():
            for word in ("sent", "delivered", "read", "failed"):
                self.status(request, word)

    # --- what is seen ---

    def sent(self) -> list[dict[str, Any]]:
        """Return the requests that asked to send something to them, in any spelling and by any name."""
        names = {self.canaries.number, self.canaries.other_spelling, self.canaries.former, self.canaries.bsuid}
        names |= {name.lstrip("+") for name in names}
        found = [request for request in self.system.whatsapp.requests() if isinstance(request["body"], dict)]
        return [one for one in found if {one["body"].get("to"), one["body"].get("recipient")} & names]

    def said(self) -> list[str]:
        """Return the texts of these."""
        return [str((request["body"].get("text") or {}).get("body")) for request in self.sent()]

    def exports(self) -> list[Any]:
        """Return the files that the channel was given to send to them."""
        return [one["body"]["file"] for one in self.system.whatsapp.requests() if "file" in (one["body"] or {})]

    def codes(self) -> list[str]:
        """Return the codes they were told to confirm with."""
        return [code for text in self.said() for code in re.findall(r"/forget (\d{4})\b", text)]

    def farewells(self) -> list[str]:
        """Return the texts that say goodbye."""
        return [text for text in self.said() if GOODBYE in text]

    def count(self, table: str, where: str = "1 = 1") -> int:
        """Return how many rows a table has."""
        return int(self.system.rows(f"SELECT count(*) FROM {table} WHERE {where}")[0][0])  # noqa: S608

    def rest(self) -> None:
        """Wait until nothing is pending."""
        wait_for(lambda: self.count("bot_inboundmessage", "state = 'pending'") == 0, "every message came to its end")

    # --- webhooks ---

    def item(self, kind: str, sender: str = "", /, **fields: Any) -> dict[str, Any]:
        """Return an item of messages[], whose id holds the number as Meta's do."""
        self._number += 1
        who = sender or self.canaries.number
        by_number = {"from": who[1:], "from_user_id": None if who in (OWNER, BOB) else self.canaries.bsuid}
        named = by_number if who.startswith("+") else {"from": "", "from_user_id": who}
        message = whatsapp_message(id=self.canaries.wamid(self._number, of=who), type=kind, **named)
        message.pop("text")
        return {key: value for key, value in {**message, **fields}.items() if value is not None}

    def message(self, text: str, sender: str = "") -> dict[str, Any]:
        """Return a text of theirs, or of somebody else."""
        return self.item("text", sender, text={"body": text})

    def deliver(self, item: dict[str, Any], *, theirs: bool = True) -> None:
        """Deliver a message."""
        profile = {"name": self.canaries.say("profile")}
        contacts = [{"wa_id": name[1:], "profile": profile} for name in (self.canaries.former, self.canaries.number)]
        contacts.append({"user_id": self.canaries.bsuid, "profile": profile})
        self.post(whatsapp_value(messages=[item], contacts=contacts if theirs else []), keep=theirs)

    def status(self, request: dict[str, Any], word: str, errors: Sequence[dict[str, Any]] = ()) -> None:
        """Deliver what became of something that was sent."""
        ours = {"biz_opaque_callback_data": request["body"].get("biz_opaque_callback_data")}
        told = {"id": request["id"] or self.canaries.wamid("lost"), "status": word, "errors": list(errors)}
        recipient = {"recipient_id": self.canaries.number[1:]}
        self.post(whatsapp_value(statuses=[{**told, **recipient, **ours}]), keep=True)

    def post(self, value: dict[str, Any], *, keep: bool) -> None:
        """Deliver a body, and keep it to be delivered again."""
        body = whatsapp_body(value)
        status = self.system.post(body)
        assert status == 200, status
        if keep:
            self.bodies.append(body)

    def somebody_else_writes(self, text: str) -> None:
        """Let somebody else have a turn: what came before it has been looked at, too."""
        self.deliver(self.message(text, BOB), theirs=False)
        wait_for(lambda: text in str(self.system.sends()), "somebody else is answered")

    def a_second_passes(self) -> None:
        """Wait for another second of the clock that webhooks tell the time by."""
        second = int(time.time())
        wait_for(lambda: int(time.time()) > second, "a second has passed")
