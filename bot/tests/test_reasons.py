"""Every code has words for operators."""

import pytest

from bot.errors import ErrorCode
from bot.reasons import REASONS, reason_of


def test_every_code_of_ours_has_words() -> None:
    # No row has BUSY: nothing was stored of what is answered so.
    assert set(ErrorCode) - {ErrorCode.BUSY} <= set(REASONS)
    assert reason_of("") is None


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("CHANNEL_ERROR:131026", "The provider did not take the reply (the number has no WhatsApp, or an old one"),
        ("CHANNEL_ERROR:999999", "The provider did not take the reply (error 999999)."),
        ("CHANNEL_ERROR:http_503", "(it answered with HTTP status 503)."),
        ("UNCERTAIN:timeout", "The provider may or may not have it (the provider did not answer in time)."),
        ("UNCERTAIN:http_502", "The provider may or may not have it (it answered with HTTP status 502)."),
        ("131049", "The provider refused it: the provider held it back so that the person is not written to too often"),
        ("unreachable", "The provider refused it: the provider could not be reached."),
        ("what nobody knows", "The provider refused it: error what nobody knows."),
        ("INTERNAL_ERROR", "Every attempt to answer it failed by an error of ours."),
    ],
)
def test_a_code_is_told_in_words(code: str, words: str) -> None:
    assert words in str(reason_of(code))
