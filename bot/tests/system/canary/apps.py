"""Faults for the canary test: what a bug, a driver or a library could say, at the words of a message."""

import asyncio
import logging
import warnings
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from django.apps import AppConfig
from django.conf import settings
from django.db import DataError

from bot.tests.system.canary.values import ADDED, NUMBER, WORDS

CRASH, ROW, UNSEEN, TELLS_ALL = "make it crash", "insert me twice", "lose a task", "tell everything"
WEB_CRASH, WEB_ROW = "crash the parser", "refuse the row"


class CanaryFaults(AppConfig):
    """Installed by bot.tests.system.canary.settings only."""

    name = "bot.tests.system.canary"
    label = "canary"

    def ready(self) -> None:
        """Put the faults in."""
        from bot.channels.whatsapp.adapter import WhatsAppChannel
        from bot.models import InboundMessageQuerySet
        from bot.operations import schedules
        from bot.pipeline import runner

        stages = (*runner.FOR_PEOPLE[:3], misbehave, *runner.FOR_PEOPLE[3:])
        setattr(runner, "FOR_PEOPLE", stages)  # noqa: B010 (its type is exact)
        WhatsAppChannel.parse = crashing(WhatsAppChannel.parse)  # type: ignore[method-assign]
        InboundMessageQuerySet.store = refusing(InboundMessageQuerySet.store)  # type: ignore[method-assign]
        for name in ("purge_expired", "raise_alerts"):
            setattr(schedules, name, fail_with_a_number)


def fail_with_a_number(*args: Any, **kwargs: Any) -> NoReturn:
    raise ValueError(f"{NUMBER[1:]} said {WORDS['text']}")


async def misbehave(turn: Any, services: Any) -> None:
    """A stage with the bugs that a message's text asks for."""
    if CRASH in turn.text:
        try:
            {}[turn.text]
        except KeyError as error:
            raise ValueError(f"cannot read {turn.text} of {turn.address}") from error
    if ROW in turn.text:
        await services.database.run(insert_twice, turn)
    if UNSEEN in turn.text:
        task = asyncio.create_task(fail_later(turn.text, turn.address))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        del task
    if TELLS_ALL in turn.text:
        tell_everything(turn)


def insert_twice(turn: Any) -> None:
    """Let the database quote the row it refuses."""
    from users.models import User

    User.objects.bulk_create([User(phone_number=turn.address, name=turn.text[:100])])


async def fail_later(text: str, address: str) -> NoReturn:
    raise ValueError(f"{text} {address}")


def tell_everything(turn: Any) -> None:
    """Do what a careless library does: log what it was given, in every way there is."""
    credentials = turn.bot.account.credentials
    library, ours = logging.getLogger("some.library"), logging.getLogger("bot.careless")
    secrets = [*credentials.values(), settings.OPENAI_API_KEY, settings.SECRET_KEY, str(settings.REDIS_URL)]
    secrets.append(str(settings.DATABASES["default"].get("PASSWORD")))
    for number, secret in enumerate(secrets):
        library.warning(f"connecting with {secret}, number {number}")
        ours.info("connected", extra={"reason": secret})
    library.warning("Incorrect key %s", WORDS["somebody's key"])
    library.warning("no such customer: %s", ADDED[1:])
    number = turn.address
    for spelled in (number, number[1:], f"{number[:3]} {number[3:6]} {number[6:]}", number.replace("+", "%2B")):
        library.error("refused: %s\nrequest: %s", spelled, turn.text)
        ours.info("refused", extra={"reason": f"{spelled}\r\nforged line"})
    ours.info("sent_one", extra={"text": turn.text, "nested": {"body": turn.text, "wa_id": number[1:]}})
    warnings.warn(f"{number[1:]} is deprecated", stacklevel=1)


def crashing(parse: Callable[..., Any]) -> Callable[..., Any]:
    """Return parse with a bug."""

    def crash(self: Any, account: Any, body: bytes) -> Any:
        if WEB_CRASH.encode() in body:
            raise RuntimeError(f"cannot parse {body.decode()}")
        return parse(self, account, body)

    return crash


def refusing(store: Callable[..., Any]) -> Callable[..., Any]:
    """Return store with a database that refuses a row, and quotes it."""

    def refuse(self: Any, rows: Sequence[Any]) -> Any:
        for row in rows:
            if WEB_ROW in row.payload.get("text", ""):
                raise DataError(f"value too long\nDETAIL:  Failing row contains ({row.address}, {row.payload}).")
        return store(self, rows)

    return refuse
