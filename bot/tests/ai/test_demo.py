"""The demo model says plainly what it is, and needs nothing."""

import asyncio
import subprocess
import sys

from bot.ai import create_model
from bot.ai.base import ChatMessage, Completion, CompletionRequest
from bot.ai.tokens import estimate_prompt_tokens, estimate_tokens


def ask(*messages: ChatMessage) -> Completion:
    return asyncio.run(create_model("demo").complete(CompletionRequest("gpt-6-luna", messages, 500, 10)))


def test_the_first_answer_repeats_what_was_said_and_tells_how_to_connect_a_real_model() -> None:
    completion = ask(ChatMessage("system", "Be kind"), ChatMessage("user", "Hello\nthere"))
    assert completion.text.startswith("Demo model: you said “Hello there”.")
    assert "OPENAI_API_KEY" in completion.text
    assert len(completion.text) < 200


def test_later_answers_are_short() -> None:
    history = (ChatMessage("user", "Hello"), ChatMessage("assistant", "Hi"))
    assert ask(*history, ChatMessage("user", "And?")).text == "Demo model: you said “And?”."


def test_a_long_message_is_quoted_in_part() -> None:
    assert ask(ChatMessage("assistant", "Hi"), ChatMessage("user", "x" * 5_000)).text == (
        f"Demo model: you said “{'x' * 200}…”."
    )


def test_percent_signs_and_no_message_at_all_do_no_harm() -> None:
    assert "100 %s %(said)s" in ask(ChatMessage("user", "100 %s %(said)s")).text
    assert "you said “”" in ask().text


def test_it_answers_as_the_model_demo_with_estimated_tokens() -> None:
    prompt = (ChatMessage("system", "Be kind"), ChatMessage("user", "Hello"))
    completion = ask(*prompt)
    assert completion.model == "demo"
    assert completion.input_tokens == estimate_prompt_tokens(prompt)
    assert completion.output_tokens == estimate_tokens(completion.text)


def test_neither_the_package_nor_the_demo_imports_openai() -> None:
    program = "import sys, bot.ai, bot.ai.demo, bot.ai.tokens; sys.exit('openai' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
