"""What a model is shown fits its budget, newest first, and no message is split."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.ai.base import ChatMessage
from bot.pipeline.prompts import prompt

HISTORY = [ChatMessage("user" if number % 2 == 0 else "assistant", f"{number} " + "x" * 298) for number in range(10)]


def shown(budget: int, text: str = "now") -> list[str]:
    return [message.content.split()[0] for message in prompt("System", HISTORY, text, budget)]


def test_everything_is_shown_when_it_fits() -> None:
    assert shown(100_000) == ["System", *"0123456789", "now"]


def test_the_oldest_messages_are_left_out_first() -> None:
    # (One of them is estimated at 104 tokens, what is always shown at 19.)
    assert shown(200) == ["System", "now"]
    assert shown(500) == ["System", *"6789", "now"]
    assert shown(1_000) == ["System", *"23456789", "now"]


@pytest.mark.parametrize("budget", [0, 256])
def test_the_system_prompt_and_the_persons_own_message_are_always_shown_whole(budget: int) -> None:
    long = "word " * 2_000
    messages = prompt("System", HISTORY, long, budget)
    assert [message.content for message in messages] == ["System", long]


def test_a_message_that_does_not_fit_ends_the_history_so_that_nothing_is_missing_in_between() -> None:
    history = [ChatMessage("user", "small"), ChatMessage("assistant", "x" * 30_000), ChatMessage("user", "last")]
    assert [message.content for message in prompt("", history, "now", 1_000)] == ["last\n\nnow"]


def test_a_history_that_was_cut_in_the_middle_of_an_exchange_begins_with_the_next_one() -> None:
    assert [message.content for message in prompt("", HISTORY[1:4], "now", 10_000)] == [
        *[message.content for message in HISTORY[2:4]],
        "now",
    ]
    assert [message.content for message in prompt("", HISTORY[1:2], "now", 10_000)] == ["now"]


def test_a_question_goes_with_the_answer_that_is_too_long_to_be_shown() -> None:
    history = [ChatMessage("user", "Tell me all"), ChatMessage("assistant", "x" * 12_000)]
    assert [message.role for message in prompt("System", history, "y" * 1_000, 4_000)] == ["system", "user"]


@pytest.mark.parametrize(
    ("label", "history", "shown"),
    [
        ("questions without answers", [("user", "a"), ("user", "b"), ("assistant", "c")], ["a\n\nb", "c", "now"]),
        ("two answers", [("user", "a"), ("assistant", "b"), ("assistant", "c")], ["a", "b\n\nc", "now"]),
        ("a blank answer", [("user", "a"), ("assistant", " \n"), ("user", "b")], ["a\n\nb\n\nnow"]),
        ("an answer without a question", [("assistant", "a"), ("assistant", "b")], ["now"]),
    ],
)
def test_leftovers_do_not_break_the_order_of_roles(
    label: str, history: list[tuple[str, str]], shown: list[str]
) -> None:
    messages = prompt("", [ChatMessage(role, content) for role, content in history], "now", 10_000)
    assert [message.content for message in messages] == shown, label


SAID = st.builds(ChatMessage, st.sampled_from(["user", "assistant"]), st.text(max_size=300))


@given(st.lists(SAID, max_size=20), st.text(max_size=20), st.integers(0, 600))
def test_whatever_was_said_roles_alternate_and_a_user_begins(
    history: list[ChatMessage], system: str, budget: int
) -> None:
    messages = prompt(system, history, "now", budget)
    roles = [message.role for message in messages if message.role != "system"]
    assert roles == ["user", "assistant"] * (len(roles) // 2) + ["user"]
    assert messages[-1].content.endswith("now")
    assert [message.role for message in messages[:1]] == ["system"] if system else messages[0].role == "user"
