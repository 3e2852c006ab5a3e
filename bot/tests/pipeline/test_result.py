"""What the stages of a turn decide."""

from bot.ai.base import Completion
from bot.pipeline.result import ModelCall, Result


def test_there_is_something_to_store_where_something_is_sent_or_billed() -> None:
    assert not Result(error_code="INTERNAL_ERROR", reply="").is_to_be_stored
    assert Result(reply="Hello").is_to_be_stored
    assert Result(calls=[call()]).is_to_be_stored, "no answer, and billed"


def test_each_call_has_a_name_of_its_own() -> None:
    assert call().id != call().id


def call() -> ModelCall:
    return ModelCall("gpt", Completion("Hello", model="gpt", input_tokens=1, output_tokens=1))
