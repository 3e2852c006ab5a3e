"""Every channel is found by its slug; the console delivers nothing and accepts no webhook."""

import pytest

from bot.channels.registry import CHANNELS, choices, get_channel


def test_a_channel_is_found_by_its_slug() -> None:
    assert {slug: get_channel(slug).slug for slug in CHANNELS} == {"whatsapp": "whatsapp", "console": "console"}


def test_an_unknown_channel_is_an_error_that_names_those_there_are() -> None:
    with pytest.raises(LookupError, match=r"'pigeon'.*console, whatsapp"):
        get_channel("pigeon")


def test_choices_are_slugs_with_labels() -> None:
    assert [(slug, bool(str(label))) for slug, label in choices()] == [("whatsapp", True), ("console", True)]


def test_slugs_fit_into_their_column() -> None:
    assert all(len(slug) <= 20 for slug in CHANNELS)
