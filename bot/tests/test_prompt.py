"""What a model is shown fits its budget, newest first, and no message is split."""

import pytest

from bot.llm.base import ChatMessage
from bot.pipeline.completion import prompt

HISTORY = [ChatMessage("user" if number % 2 == 0 else "assistant", f"{number} " + "x" * 298) for number in range(10)]


def shown(budget: int, text: str = "now") -> list[str]:
    return [message.content.split()[0] for message in prompt("System", HISTORY, text, budget)]


def test_everything_is_shown_when_it_fits() -> None:
    assert shown(100_000) == ["System", *"0123456789", "now"]


def test_the_oldest_messages_are_left_out_first() -> None:
    # (One of them is estimated at 107 tokens, what is always shown at 19.)
    assert shown(200) == ["System", "9", "now"]
    assert shown(500) == ["System", *"6789", "now"]
    assert shown(1_000) == ["System", *"123456789", "now"]


@pytest.mark.parametrize("budget", [0, 256])
def test_the_system_prompt_and_the_persons_own_message_are_always_shown_whole(budget: int) -> None:
    long = "word " * 2_000
    messages = prompt("System", HISTORY, long, budget)
    assert [message.content for message in messages] == ["System", long]


def test_a_message_that_does_not_fit_ends_the_history_so_that_nothing_is_missing_in_between() -> None:
    history = [ChatMessage("user", "small"), ChatMessage("assistant", "x" * 30_000), ChatMessage("user", "last")]
    assert [message.content for message in prompt("", history, "now", 1_000)] == ["last", "now"]
