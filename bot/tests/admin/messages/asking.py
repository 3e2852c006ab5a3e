"""Read the admin's pages about messages, and make what they show."""

from typing import Any

from django.test import Client
from django.urls import reverse

from bot.models import Bot, InboundMessage, OutboundMessage
from bot.tests.support.factories import ALICE, InboundFactory

State, Status = InboundMessage.State, OutboundMessage.Status


def page(model: str, pk: int) -> str:
    return reverse(f"admin:bot_{model}_change", args=[pk])


def shown(client: Client, url: str, **query: Any) -> list[Any]:
    response = client.get(url, query)
    assert response.status_code == 200
    return list(response.context["cl"].result_list)


def html_of(client: Client, url: str, **query: Any) -> str:
    response = client.get(url, query)
    assert response.status_code == 200
    return response.content.decode()


def sent(
    bot: Bot, status: str = "sent", *, code: str = "", text: str = "Hello Alice", **fields: Any
) -> OutboundMessage:
    """Store a reply with the message it answers."""
    state = State.PENDING if status in ("queued", "sending") else State.DONE
    first = InboundFactory.create(bot=bot, state=state, address=fields.get("address", ALICE))
    first.turn_key = first.pk
    first.save()
    fields = {"bot": bot, "address": ALICE, "part": 1, "status": status, "error_code": code, "text": text, **fields}
    return OutboundMessage.objects.create(turn_key=first.pk, **fields)
