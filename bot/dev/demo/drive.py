"""Drive the planned turns through the inbox, a worker and the outbox, each at its time."""

import logging
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import copy_context
from datetime import datetime, timedelta
from itertools import groupby

from asgiref.sync import async_to_sync
from django.db import transaction
from django.test.utils import override_settings
from django.utils import timezone

from bot.channels.events import InboundEvent, RejectedItem, StatusEvent
from bot.dev.demo.bots import BOTS
from bot.dev.demo.clock import moved_clock
from bot.dev.demo.script import WINDOW, DrivenWorker, Script
from bot.dev.demo.texts import AFTERTHOUGHTS
from bot.dev.demo.turns import ANSWERED, EXPIRED, PlannedTurn
from bot.errors import ErrorCode
from bot.models import OutboundMessage
from bot.monitoring.metrics import pending
from bot.operations.figures.folding import fold_days, held_days
from bot.queue import snapshot
from bot.queue.accept import accept
from bot.worker import claims
from bot.worker.retry import backoff
from usage.days import day_start
from users.models import User

UNREADABLE = ("no sender", "no id", "text too long")
OPENAI = "https://api.openai.com/v1"


@contextmanager
def _quiet() -> Iterator[None]:
    """Log and count nothing: made-up failures are nobody's to look into."""
    before, counted = logging.root.manager.disable, pending.take()
    logging.disable()
    try:
        yield
    finally:
        logging.disable(before)
        pending.take()
        pending.give_back(counted)


class Driver:
    """Drives turns, day by day: what is of a day is committed at once, when all of it has come to its end."""

    def __init__(self, seed: int, people: Sequence[User], now: datetime) -> None:
        self.people, self.now = people, now
        self.rng = random.Random(f"{seed}:drive")
        self.free: dict[tuple[int, int], datetime] = {}

    def drive(self, turns: Sequence[PlannedTurn]) -> None:
        """Drive turns, which are in the order of time, and count the days whose messages the purge will take."""
        zone, held = timezone.get_default_timezone(), held_days()
        prices = override_settings(LLM_PROVIDER="openai", OPENAI_BASE_URL=OPENAI)
        with _quiet(), prices, moved_clock(self.now) as clock:
            snapshot.forget()
            self.clock, self.script = clock, Script(clock, self.rng)
            self.worker = DrivenWorker("seed-demo", self.script)
            for day, of_day in groupby(turns, lambda turn: turn.at.astimezone(zone).date()):
                with transaction.atomic():
                    self._reject(day_start(day))
                    for turn in of_day:
                        self._turn(turn)
                clock.at = day_start(day + timedelta(days=1))
                if day < min(held):
                    fold_days([day])
        snapshot.forget()

    def _turn(self, plan: PlannedTurn) -> None:
        chat = plan.person, plan.bot
        bot = snapshot.current().by_slug["console", BOTS[plan.bot].slug]
        address = self.people[plan.person].phone_number or ""
        self.script.plan = plan
        self.script.number += 1
        texts = [plan.question]
        if plan.outcome == ANSWERED and self.rng.random() < 0.05:
            texts.append(self.rng.choice(AFTERTHOUGHTS[plan.language]))
        self.clock.at = max(plan.at, self.free.get(chat, plan.at))
        for place, text in enumerate(texts):
            sent_at = self.clock.at
            self.clock.move(self.rng.randint(150, 250))
            if plan.outcome == EXPIRED:
                sent_at = self.clock.at - WINDOW + timedelta(milliseconds=plan.waited_ms + plan.model_ms / 2)
            kind = self.rng.choice(("audio", "image")) if plan.outcome == ErrorCode.UNSUPPORTED_MESSAGE else "text"
            name = f"seed-demo-{self.script.number}-{place}"
            accept(bot, [InboundEvent(name, address, kind, text if kind == "text" else "", sent_at)])
        self.clock.move(plan.waited_ms)
        key = None
        # (Again, when it did not come to an end: as often as a worker would.)
        while claimed := claims.take(self.worker.name, [(bot.id, address)], self.clock.at):
            key = claimed[0].key
            # In a context of its own, as a worker's task: what is bound to its log lines ends with it.
            copy_context().run(async_to_sync(self.worker.work), claimed[0], plan)
            self.clock.move(backoff(claimed[0].attempts) / timedelta(milliseconds=1) + 5)
        self.free[chat] = self.clock.at
        if key is not None:
            self._receive(bot, key)

    def _receive(self, bot: snapshot.ActiveBot, key: int) -> None:
        """Let what was sent be delivered, mostly, and often read, each after the other and before now."""
        rng = self.rng
        parts = OutboundMessage.objects.filter(turn_key=key, status="sent").order_by("part")
        for external_id, sent in parts.values_list("external_id", "sent_at"):
            if sent is None:
                continue
            # Receipts of many are missing on the last day: the simulator shows what a text cost as long as it is there.
            missing = 0.5 if sent > self.now - timedelta(days=1) else 0.08
            reached = rng.choices((0, 1, 2), weights=(missing, (1 - missing) * 0.3, (1 - missing) * 0.7))[0]
            delivered = sent + timedelta(milliseconds=int(rng.lognormvariate(7.2, 0.8)))
            read = delivered + timedelta(seconds=2 + rng.lognormvariate(4.0, 1.4))
            for status, at in (("delivered", delivered), ("read", read))[:reached]:
                if at < self.now:
                    self.clock.at = at
                    accept(bot, [StatusEvent(external_id, status)])

    def _reject(self, day: datetime) -> None:
        for bot in BOTS:
            self.clock.at = day + timedelta(seconds=self.rng.randrange(80_000))
            if self.rng.random() < 0.3 and self.clock.at < self.now:
                self.script.number += 1
                active = snapshot.current().by_slug["console", bot.slug]
                accept(active, [RejectedItem(self.rng.choice(UNREADABLE))], f"seed-demo-{self.script.number}".encode())
