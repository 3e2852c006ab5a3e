"""Each sentence about what went wrong can be said."""

from bot.errors import EXACT_SENTENCES, SENTENCES, AppError, ErrorCode


def test_every_sentence_with_numbers_has_one_without_for_when_they_are_not_known() -> None:
    assert set(EXACT_SENTENCES) <= set(SENTENCES)
    assert AppError(ErrorCode.RATE_LIMIT_EXCEEDED).sentence == "You've reached the message limit. Please wait a minute."
    without = AppError(ErrorCode.BUDGET_EXCEEDED).sentence
    assert AppError(ErrorCode.BUDGET_EXCEEDED, params={"seconds": 3}).sentence == without
