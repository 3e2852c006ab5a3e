"""Talk to a bot in the terminal, the way a messenger would: through the inbox, the worker and the outbox."""

from argparse import ArgumentParser
from time import monotonic, sleep
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from bot.channels.events import InboundEvent
from bot.models import InboundMessage
from bot.queue.snapshot import ActiveBot
from bot.simulator import queries
from bot.simulator.bubbles import Bubble
from bot.simulator.chat import BadChoice, check_text, choose_bot, write
from bot.simulator.overbudget import OVER_BUDGET_NUMBER, NumberInUse, over_budget_person
from bot.simulator.story import tell
from users.models import User

WHAT = "/what"
LOOK_SECONDS = 0.1
WORKER_SECONDS = 15.0


class NoAnswer(Exception):
    """A message got no reply in time, or none at all. The text says what to look at."""


class Command(BaseCommand):
    """Write to a console bot as a whitelisted person, and print its replies with what they cost."""

    help = "Talk to a bot in the terminal. Ctrl-D or Ctrl-C leaves. The worker must be running (make run starts it)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--bot", metavar="SLUG", help="which console bot to talk to (default: the first one)")
        parser.add_argument(
            "--as",
            dest="person",
            metavar="PHONE",
            help="who writes: a phone number, “unknown” or “over-budget” (default: the first whitelisted person)",
        )
        parser.add_argument("--story", action="store_true", help="print below each reply how it came about")
        parser.add_argument(
            "--message", nargs="+", action="extend", metavar="TEXT", help="say this and leave; several are sent in turn"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Send the given messages, or ask for them one by one.

        Raises:
            CommandError: the bot, the person or a message cannot be used; or a given message got no answer.
        """
        try:
            bot = choose_bot(options["bot"] or self._first_bot())
            self._address, person = self._choose_person(options["person"])
            texts = [check_text(text) for text in options["message"] or []]
        except BadChoice as error:
            raise CommandError(str(error)) from None
        except NumberInUse:
            raise CommandError(f"A member of staff has the number {OVER_BUDGET_NUMBER}.") from None
        self._tells_stories = options["story"]
        if options["message"] is None:
            self._converse(bot, person)
            return
        try:
            for text in texts:
                self._ask(bot, person, text)
        except NoAnswer as error:
            raise CommandError(str(error)) from None
        except KeyboardInterrupt:
            self.stdout.write("")

    def _first_bot(self) -> str:
        first = next(iter(queries.bots()), None)
        if first is None:
            raise BadChoice("There is no active console bot. Create one: manage.py bootstrap, or in the admin.")
        return first.slug

    def _choose_person(self, number: str | None) -> tuple[str, User | None]:
        if number == "unknown":
            return queries.UNKNOWN_NUMBER, None
        if number == "over-budget":
            return OVER_BUDGET_NUMBER, over_budget_person()
        person = self._choose_known(number)
        return person.phone_number or "", person

    def _choose_known(self, number: str | None) -> User:
        people = User.objects.whitelisted().exclude(phone_number=None).order_by("name", "pk")
        person = people.find_by_phone_number(number) if number else people.first()
        if person is not None:
            return person
        known = ", ".join(f"{one.phone_number} ({one.name or 'no name'})" for one in people[:5])
        if not known:
            raise BadChoice(
                "Nobody is whitelisted. Allow somebody in the admin, or create a person: manage.py bootstrap."
            )
        raise BadChoice(f"Nobody whitelisted has the number {number}. Whitelisted: {known}.")

    def _converse(self, bot: ActiveBot, person: User | None) -> None:
        name = (person.name or person.phone_number) if person else "an unknown person"
        self.stdout.write(f"You are {name}, talking to {bot.slug}. /what tells how a reply came about, Ctrl-D leaves.")
        last: Bubble | None = None
        while True:
            try:
                text = check_text(input("You: "))
                if text == WHAT:
                    self._tell_story(last)
                else:
                    last = self._ask(bot, person, text)
            except (EOFError, KeyboardInterrupt):
                self.stdout.write("")
                return
            except (BadChoice, NoAnswer) as problem:
                self.stderr.write(str(problem))

    def _ask(self, bot: ActiveBot, person: User | None, text: str) -> Bubble:
        """Write, print the reply, and return its last part."""
        known = queries.read_news(bot.id, bot.slug, self._address, person, None).last
        event = write(bot, self._address, text)
        replies = self._wait(bot, person, event, known)
        for reply in replies:
            said = f"[{reply.filename}, {reply.size:,} bytes]" if reply.filename else reply.text
            self.stdout.write(f"{bot.slug}: {said}")
            if reply.problem:
                self.stderr.write(f"({reply.status})")
        if replies[-1].cost:
            self.stdout.write(self.style.NOTICE(f"   {replies[-1].cost}"))
        if self._tells_stories:
            self._tell_story(replies[-1])
        return replies[-1]

    def _tell_story(self, reply: Bubble | None) -> None:
        told = tell(reply.id) if reply else None
        if told is None:
            self.stderr.write("There is nothing to tell of: no reply, or how it came about is not known any more.")
            return
        summary, lines = told
        self.stdout.write(self.style.NOTICE(f"   {summary}"))
        for line in lines:
            self.stdout.write(self.style.NOTICE(f"   {line.what:<24}{line.took:>10}  {line.detail}".rstrip()))

    def _wait(self, bot: ActiveBot, person: User | None, event: InboundEvent, known: int) -> list[Bubble]:
        """Return the reply to one message, as soon as it is stored. known: the newest id of the outbox before it.

        Raises:
            NoAnswer: the turn ended without one, or none came in time.
        """
        began = monotonic()
        while True:
            row = InboundMessage.objects.filter(bot=bot.id, external_id=event.external_id).first()
            replies = queries.replies_of(row.turn_key, person) if row and row.turn_key is not None else []
            if row is None and person is None:  # what strangers write is deleted with its turn; a reply stays
                news = queries.read_news(bot.id, bot.slug, event.address, None, known)
                replies = [one for one in news.messages if not one.mine]
            if replies:
                return replies
            if row is None or row.state == InboundMessage.State.DONE:
                raise NoAnswer("The message was handled without a reply.")
            if row.state == InboundMessage.State.DEAD:
                raise NoAnswer(f"The message could not be answered ({row.error_code}): it is a dead letter now.")
            waited = monotonic() - began
            if waited > self._patience(bot, event.address):
                raise NoAnswer(
                    f"No answer after {waited:.0f} s. Is the worker running? “make run” or “manage.py runworker” "
                    "starts it. Your message is kept and will be answered then."
                )
            sleep(LOOK_SECONDS)

    @staticmethod
    def _patience(bot: ActiveBot, address: str) -> float:
        # A slow model is no missing worker; but a worker ends every turn by the model's deadline.
        deadline = settings.MODEL_DEADLINE_SECONDS if queries.is_worked_on(bot.id, address) else 0
        return WORKER_SECONDS + bot.burst_wait_seconds + deadline
