"""Before dead letters are replayed it is said what that does and costs, and what it cannot help is not offered."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from bot.models import EMPTIED, Bot, InboundMessage, OutboundMessage
from bot.operations.replaying import plan_of
from bot.tests.support.factories import ALICE, BOB, BotFactory, InboundFactory, WhatsAppBotFactory, whitelisted
from usage.prices import forget_prices
from usage.tests.factories import ModelPriceFactory
from users.models import User

pytestmark = [pytest.mark.database, pytest.mark.django_db]

INBOX = "admin:bot_inboundmessage_changelist"
LATE = timedelta(hours=25)


@pytest.fixture
def shop() -> Bot:
    whitelisted(ALICE, name="Alice")
    return WhatsAppBotFactory.create(slug="shop", name="Shop")


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("+4915112345600", "a good password"))
    return client


def dead(bot: Bot, **fields: Any) -> InboundMessage:
    return InboundFactory.create(bot=bot, **{"state": "dead", "error_code": "INTERNAL_ERROR", **fields})


def never_let_in(shop: Bot) -> InboundMessage:
    return dead(shop, address=BOB)


def let_in_no_more(shop: Bot) -> InboundMessage:
    User.objects.filter(phone_number=ALICE).update(is_whitelisted=False)
    return dead(shop)


def erased(shop: Bot) -> InboundMessage:
    return dead(shop, payload=EMPTIED)


def person_gone(shop: Bot) -> InboundMessage:
    message = dead(shop)
    User.objects.filter(phone_number=ALICE).delete()
    return message


def too_late(shop: Bot) -> InboundMessage:
    return dead(shop, sent_at=timezone.now() - LATE)


def too_late_for_the_stored_reply(shop: Bot) -> InboundMessage:
    message = dead(shop, sent_at=timezone.now() - LATE, error_code="CHANNEL_ERROR:131000", turn_key=5)
    OutboundMessage.objects.create(bot=shop, address=ALICE, turn_key=5, part=1, text="Hi", status="failed")
    return message


def switched_off(shop: Bot) -> InboundMessage:
    Bot.objects.filter(pk=shop.pk).update(is_active=False)
    return dead(shop)


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (never_let_in, "not let in"),
        (let_in_no_more, "not let in"),
        (erased, "erased"),
        (person_gone, "not let in"),
        (too_late, "time for replies is over"),
        (too_late_for_the_stored_reply, "time for replies is over"),
        (switched_off, "switched off"),
    ],
)
def test_what_a_replay_cannot_help_is_not_offered_and_left_as_it_is(
    staff: Client, shop: Bot, make: Any, why: str
) -> None:
    message = make(shop)
    page = staff.get(reverse("admin:bot_inboundmessage_change", args=[message.pk])).content.decode()
    assert why in page and 'value="replay"' not in page
    chosen = {"action": "replay", "_selected_action": [message.pk]}
    asked = staff.post(reverse(INBOX), chosen).content.decode()
    assert why in asked[asked.index("Left as they are") :] and "Replay</button>" not in asked
    staff.post(reverse(INBOX), {**chosen, "confirmed": "1"})
    out = StringIO()
    call_command("replay", "--all", stdout=out, stderr=out)
    assert why in out.getvalue() and "0 messages are worked on again." in out.getvalue()
    message.refresh_from_db()
    assert message.state == "dead"


def test_what_a_replay_does_and_costs_is_said_before(staff: Client, shop: Bot, settings: Any) -> None:
    settings.LLM_PROVIDER, settings.OPENAI_GPT_MODEL = "openai", "of-the-house"
    settings.MAX_MODEL_TOKENS, settings.MAX_REPLY_TOKENS = 8_000, 1_000
    ModelPriceFactory.create(model="of-the-house", input_micros_per_million=10**6, output_micros_per_million=2 * 10**6)
    forget_prices()
    anew, again = dead(shop), dead(shop)
    stored = dead(shop, error_code="CHANNEL_ERROR:131000", turn_key=anew.pk + 10)
    InboundMessage.objects.filter(pk=stored.pk).update(turn_key=stored.pk)
    OutboundMessage.objects.create(bot=shop, address=ALICE, turn_key=stored.pk, part=1, text="Hi", status="failed")
    ids = [anew.pk, again.pk, stored.pk]
    asked = staff.post(reverse(INBOX), {"action": "replay", "_selected_action": ids}).content.decode()
    assert "2: the model is asked anew, which costs about $0.02 at most." in asked
    assert "1: what is stored for it is sent as it is, at no further cost" in asked and "Replay</button>" in asked
    plan = plan_of(ids)
    assert (plan.stored, plan.anew, plan.cost_micros) == ([stored.pk], [anew.pk, again.pk], 20_000)
    settings.OPENAI_GPT_MODEL = "of-no-known-price"
    assert "how much is not known" in " ".join(plan_of(ids).lines)


def test_a_reply_whose_text_is_gone_is_made_anew_and_a_notice_costs_nothing(shop: Bot) -> None:
    gone = dead(shop, error_code="CHANNEL_ERROR:131000", turn_key=7)
    OutboundMessage.objects.create(bot=shop, address=ALICE, turn_key=7, part=1, text="", status="failed")
    notice = dead(shop, origin="notice", payload={"notice": "A budget is used up."})
    plan = plan_of([gone.pk, notice.pk])
    assert (plan.anew, plan.notices, plan.stored) == ([gone.pk], [notice.pk], [])


def test_as_many_queries_for_many_as_for_few(shop: Bot, django_assert_max_num_queries: Any) -> None:
    ids = [dead(shop).pk for _ in range(30)]
    with django_assert_max_num_queries(6):
        assert plan_of(ids).able == ids


@pytest.mark.parametrize(
    ("code", "label", "tone"),
    [
        ("", "done", "good"),
        ("UNAUTHORIZED", "done", "good"),
        ("OPENAI_API_ERROR", "not answered", "warn"),
        ("CONFIGURATION_ERROR:key_refused", "not answered", "warn"),
        ("BUDGET_EXCEEDED", "not answered", "warn"),
        ("UNCERTAIN:timeout", "uncertain", "warn"),
    ],
)
def test_an_apology_is_not_shown_as_a_success(staff: Client, code: str, label: str, tone: str) -> None:
    InboundFactory.create(bot=BotFactory.create(slug="a"), state="done", error_code=code)
    assert f'<span class="desk-chip {tone}">{label}</span>' in staff.get(reverse(INBOX)).content.decode()
