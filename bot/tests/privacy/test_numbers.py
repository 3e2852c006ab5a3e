"""An address names somebody in a text if it is theirs as a whole word."""

import pytest

from bot.privacy.numbers import names_in

BSUID = "DE.13491208655302741918"


@pytest.mark.parametrize(
    ("address", "text", "is_named"),
    [
        (BSUID, f"/deny {BSUID}", True),
        (BSUID, f"/deny {BSUID}1", False),
        ("order", "/users order", False),
        ("123456", "/users 123456", False),
        ("123456789", "/users 123456789", True),
        ("abcdefghijk", "/users abcdefghijk", False),
    ],
)
def test_an_address_names_somebody_if_a_provider_could_have_made_it(address: str, text: str, is_named: bool) -> None:
    assert names_in([("generic", address)]).are_in(text) is is_named


def test_nobody_without_an_address_is_named_anywhere() -> None:
    assert not names_in([]).are_in("")
    assert names_in([]).hide("text") == "text"
