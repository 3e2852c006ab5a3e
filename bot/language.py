"""In which language a bot says its own sentences. (What a model says is a matter of the bot's prompt.)"""

from contextlib import AbstractContextManager

from django.conf import settings
from django.utils.formats import number_format
from django.utils.translation import activate, get_language, override


def use_language(language: str) -> AbstractContextManager[None]:
    """Translate what is put into words inside the block for a bot with this `language`; empty: LANGUAGE_CODE.

    It counts for the thread or task that enters the block and for the tasks it starts; batches of the database thread
    are written for many turns and have none.
    """
    return override(language or settings.LANGUAGE_CODE)


def activate_language(language: str) -> None:
    """Translate for a bot with this `language` until the task ends that calls this: it has to be the caller's own."""
    wanted = language or settings.LANGUAGE_CODE
    if get_language() != wanted:
        activate(wanted)


def grouped(number: int) -> str:
    """Return a number with its digits in groups, as the language that is spoken writes it."""
    return number_format(number, force_grouping=True)
