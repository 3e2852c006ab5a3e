"""Language of a bot's own sentences. The language of a model's answers is a matter of the bot's prompt."""

from contextlib import AbstractContextManager

from django.conf import settings
from django.utils.formats import number_format
from django.utils.translation import activate, get_language, override


def use_language(language: str) -> AbstractContextManager[None]:
    """Activate a bot's `language` inside the block; empty: LANGUAGE_CODE.

    It applies to the entering thread or task and to tasks it starts, but not to batches of the database thread, which
    are written for many turns.
    """
    return override(language or settings.LANGUAGE_CODE)


def activate_language(language: str) -> None:
    """Activate a bot's `language` until the calling task ends, which must be the caller's own."""
    wanted = language or settings.LANGUAGE_CODE
    if get_language() != wanted:
        activate(wanted)


def grouped(number: int) -> str:
    """Return a number with its digits in groups, as the language that is spoken writes it."""
    return number_format(number, force_grouping=True)
