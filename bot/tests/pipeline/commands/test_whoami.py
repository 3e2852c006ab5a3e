"""/whoami: what a person is known as."""

from collections.abc import Callable
from typing import Any

from bot.queue.snapshot import ActiveBot
from bot.tests.support.factories import ALICE, BotFactory
from bot.tests.support.fakes import ScriptedChannel
from users.models import User
from users.roles import Role

LOCAL = "llama-5-8b"

Ask = Callable[..., str]


def test_whoami_says_what_a_person_is_known_as_and_masks_the_number(
    ask: Ask, alice: User, channel: ScriptedChannel, settings: Any
) -> None:
    settings.RATE_LIMIT_PER_USER = 12
    choosy = BotFactory.active(slug="choosy", model="gpt-6-luna", allowed_models=LOCAL)
    ask(f"/model {LOCAL}", to=choosy)
    answer = ask("/whoami", to=choosy)

    assert answer.splitlines() == [
        "Name: Alice",
        "Role: User",
        "Phone number: +49…78",
        "Channel: Console (simulator and terminal)",
        "Bot: choosy",
        f"Model: {LOCAL}",
        "Messages a minute: 12",
    ]
    assert ALICE not in answer and ALICE[3:] not in answer


def test_whoami_of_somebody_without_a_number_or_name(ask: Ask, bot: ActiveBot, settings: Any) -> None:
    settings.RATE_LIMIT_PER_OWNER = 1_000
    person = User.objects.create_user(None, is_whitelisted=True, role=Role.OWNER)
    User.objects.link_identity(person, "console", "US.13491208655302741918")

    lines = ask("/whoami", "US.13491208655302741918").splitlines()

    assert lines[:3] == ["Name: not known", "Role: Owner", "Phone number: none, known by an address"]
    assert lines[-1] == "Messages a minute: 1,000"
