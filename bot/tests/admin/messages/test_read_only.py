"""Nobody deletes or changes by hand what the system writes."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from bot.models import Bot, InboundMessage, Lease, OutboundMessage
from bot.tests.admin.messages.asking import html_of, page, sent
from bot.tests.support.factories import ALICE, BotFactory
from users.roles import Role
from users.tests.factories import UserFactory

pytestmark = [pytest.mark.database, pytest.mark.django_db]

LISTS = {name: reverse(f"admin:bot_{name}_changelist") for name in ("inboundmessage", "outboundmessage", "lease")}


# (Chats that nobody is at are not shown unasked.)
EVERYTHING = {"lease": {"which": "all"}}


@pytest.fixture
def shop(db: None) -> Bot:
    return BotFactory.create(slug="shop", name="The shop")


@pytest.mark.parametrize("role", [Role.OWNER, Role.ADMIN])
def test_nobody_deletes_or_changes_a_row_by_hand(client: Client, shop: Bot, role: Role) -> None:
    client.force_login(UserFactory.create(role=role))
    reply = sent(shop)
    lease = Lease.objects.create(bot=shop, address=ALICE, expires_at=timezone.now())
    rows = {"inboundmessage": reply.turn_key, "outboundmessage": reply.pk, "lease": lease.pk}
    for model, pk in rows.items():
        assert client.post(reverse(f"admin:bot_{model}_delete", args=[pk]), {"post": "yes"}).status_code == 403
        assert client.post(page(model, pk), {"status": "sent", "worker": ""}).status_code == 403
        data = {"action": "delete_selected", "_selected_action": [pk], "post": "yes"}
        client.post(LISTS[model], data)
        assert "delete_selected" not in html_of(client, LISTS[model], **EVERYTHING.get(model, {}))
    assert (InboundMessage.objects.count(), OutboundMessage.objects.count(), Lease.objects.count()) == (1, 1, 1)
