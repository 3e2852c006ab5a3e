"""manage.py replay: work on dead letters again."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from bot.channels.sending import SendError
from bot.models import InboundMessage
from bot.queue import accept
from bot.queue.snapshot import ActiveBot
from bot.tests.support.factories import BOB, InboundFactory, event, whitelisted
from bot.tests.support.fakes import ScriptedChannel, ScriptedModel, states, work_until
from users.models import User

pytestmark = [
    pytest.mark.database,
    pytest.mark.usefixtures("turns_db"),
    pytest.mark.promise("dead letters"),
]

REFUSED = SendError("131026")


@pytest.fixture
def dead(alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel) -> InboundMessage:
    """A message whose reply was refused."""
    channel.enqueue(REFUSED)
    accept.accept(bot, [event("m1")])
    work_until(model=model)
    assert states() == [("dead", "CHANNEL_ERROR:131026")]
    return InboundMessage.objects.get()


def test_the_command_replays_what_it_is_told_to(bot: ActiveBot, dead: InboundMessage) -> None:
    whitelisted(BOB)
    other = InboundFactory.create(bot_id=bot.id, address=BOB, state="dead", error_code="INTERNAL_ERROR")

    sent = "1: what is stored for it is sent as it is, at no further cost of a model."
    asked = "1: the model is asked anew, which costs about $0.00 at most."
    assert lines("--all", "--dry-run") == [sent, asked, "2 messages would be worked on again."]
    chosen = ("--all", "--code", "INTERNAL", "--bot", "shop", "--dry-run")
    assert lines(*chosen) == [asked, "1 messages would be worked on again."]
    assert lines("--all", "--hours", "0", "--dry-run") == ["0 messages would be worked on again."]
    assert [state for state, _ in states()] == ["dead", "dead"]
    assert lines(str(dead.pk)) == [sent, "1 messages are worked on again."]
    assert lines(str(dead.pk), str(other.pk)) == [
        f"Not dead letters (that match): {dead.pk}", asked, "1 messages are worked on again.",
    ]  # fmt: skip
    assert [state for state, _ in states()] == ["pending", "pending"]


@pytest.mark.parametrize(
    "words, complaint",
    [
        ([], "Name the messages (manage.py replay 12 13), or say --all; not both."),
        (["1", "--all"], "Name the messages (manage.py replay 12 13), or say --all; not both."),
        (["--all", "--bot", "nobody"], "No bot is called 'nobody'. There are: shop."),
    ],
)
def test_a_command_that_is_not_clear_replays_nothing(
    bot: ActiveBot, dead: InboundMessage, words: list[str], complaint: str
) -> None:
    with pytest.raises(CommandError) as error:
        replay(*words)
    assert str(error.value) == complaint
    assert InboundMessage.objects.get().state == "dead"


def lines(*words: str) -> list[str]:
    return replay(*words).splitlines()


def replay(*words: str) -> str:
    """Run the command and return what it said, errors first."""
    out = StringIO()
    call_command("replay", *words, stdout=out, stderr=out)
    return out.getvalue().strip()
