"""A bot speaks its own language, and the installation's where it has none."""

from django.utils.translation import get_language, override

from bot.language import activate_language, grouped, use_language


def test_a_bot_without_a_language_speaks_the_installations(settings) -> None:
    settings.LANGUAGE_CODE = "es"
    with override("fr"):
        with use_language("de"):
            assert get_language() == "de"
        with use_language(""):
            assert get_language() == "es"
        assert get_language() == "fr"


def test_what_is_spoken_stays_until_another_language_is_wanted(settings) -> None:
    settings.LANGUAGE_CODE = "en"
    with override("de"):
        activate_language("de")
        assert get_language() == "de"
        activate_language("")
        assert get_language() == "en"


def test_numbers_are_grouped_as_the_language_writes_them() -> None:
    with override("de"):
        assert grouped(1_234_567) == "1.234.567"
    with override("en"):
        assert grouped(1_234_567) == "1,234,567"
