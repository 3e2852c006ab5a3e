"""Messages are brought into the order that every server takes."""

from bot.ai.base import ChatMessage
from bot.ai.messages import alternating, exchanges, folded

SYSTEM = ChatMessage("system", "Be kind.")
QUESTION, ANSWER = ChatMessage("user", "Why?"), ChatMessage("assistant", "Because.")


def test_system_messages_come_first_and_the_user_begins() -> None:
    assert alternating([ANSWER, QUESTION, SYSTEM, ANSWER]) == [SYSTEM, QUESTION, ANSWER]


def test_neighbours_of_one_role_are_joined_and_blank_messages_left_out() -> None:
    blank = ChatMessage("assistant", " \n")
    assert alternating([QUESTION, blank, QUESTION]) == [ChatMessage("user", "Why?\n\nWhy?")]


def test_the_last_question_may_have_no_answer() -> None:
    assert exchanges([QUESTION, ANSWER, QUESTION]) == [(QUESTION, ANSWER), (QUESTION,)]


def test_the_system_prompt_can_begin_the_first_users_message() -> None:
    assert folded([SYSTEM, QUESTION, ANSWER]) == [ChatMessage("user", "Be kind.\n\nWhy?"), ANSWER]
