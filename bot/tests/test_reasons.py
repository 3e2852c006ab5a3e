import pytest

from bot.channels.registry import CHANNELS
from bot.errors import ErrorCode
from bot.reasons import REASONS, cause_of, reason_of


def test_every_code_of_ours_has_words():
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
def test_a_code_is_told_in_words(code, words):
    assert words in str(reason_of(code, "whatsapp"))


def test_a_code_means_what_the_channel_that_it_came_through_says(monkeypatch):
    monkeypatch.setattr(type(CHANNELS["console"]), "reasons", {"190": "the console has no paper"})
    assert cause_of("CHANNEL_ERROR:190", "console") == "the console has no paper, 190"
    assert cause_of("CHANNEL_ERROR:190", "whatsapp") == "the access token is refused, 190"
    assert cause_of("CHANNEL_ERROR:131026", "console") == "error 131026"
    for nobodys in ("", "gone"):
        assert str(reason_of("190", nobodys)) == "The provider refused it: error 190."


@pytest.mark.parametrize("channel", CHANNELS)
def test_what_keeps_a_request_from_any_provider_has_the_same_words(channel):
    assert cause_of("CHANNEL_ERROR:unreachable", channel) == "the provider could not be reached"
