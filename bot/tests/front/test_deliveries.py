"""Which paths are a webhook's."""

import pytest

from bot.errors import AppError, ErrorCode
from bot.front.deliveries import names_in


@pytest.mark.parametrize("path", ["/webhooks/whatsapp/shop/", "/webhooks/whatsapp/shop"])
def test_a_path_names_a_channel_and_a_bot_with_or_without_its_last_slash(path: str) -> None:
    assert names_in(path) == ("whatsapp", "shop")


@pytest.mark.parametrize(
    "path",
    [
        "/webhooks/", "/webhooks/whatsapp", "/webhooks/whatsapp/", "/webhooks/whatsapp//", "/webhooks//shop/",
        "/webhooks/whatsapp/shop//", "/webhooks/whatsapp/shop/more", "/webhooks/whatsapp/shop/more/", "/webhooks////",
    ],
)  # fmt: skip
def test_another_path_is_no_webhooks(path: str) -> None:
    with pytest.raises(AppError) as raised:
        names_in(path)
    assert raised.value.code == ErrorCode.NOT_FOUND
