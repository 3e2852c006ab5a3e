"""Why a server refuses every call is told by codes that fit into a row."""

from bot.ai.standing import Refusal, refusal_code, refusal_of


def test_codes_of_rows_fit_and_name_the_model() -> None:
    assert len(refusal_code(Refusal.MODEL, "x" * 200)) == 100
    assert refusal_code(Refusal.KEY, "gpt") == "CONFIGURATION_ERROR:key_refused"
    assert refusal_of(503, {"code": "overloaded"}) is None
    assert refusal_of(429, {"code": 7, "type": ["x"]}) is None
