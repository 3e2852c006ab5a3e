"""The pages know what the front has handed to them by a token of the SECRET_KEY."""

from pytest_django.fixtures import Settings

from config.front import front_token, is_from_front


def test_only_who_has_the_key_has_the_token(settings: Settings) -> None:
    ours = front_token()
    assert is_from_front(ours)
    assert not is_from_front("")
    assert not is_from_front(ours[:-1])
    settings.SECRET_KEY = "another key"
    assert not is_from_front(ours)
