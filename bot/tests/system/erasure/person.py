"""Somebody of whom there is something in every table that can hold anything of a person."""

from datetime import timedelta

from django.test import Client
from django.utils import timezone

from bot.models import ModelChoice
from bot.tests.system.erasure.canaries import Canaries
from bot.tests.system.erasure.messages import addresses, change_number, make_messages
from bot.tests.system.erasure.traces import edit_in_admin, make_traces
from bot.tests.system.erasure.world import World
from conversations.models import Conversation
from conversations.tests.factories import add_messages
from usage.days import today
from usage.models import DailySpend, Reservation, UsageRecord
from usage.spending import Changes
from users.models import Identity, Invite, User
from users.phone import is_e164
from users.roles import Role

SPENT, RESERVED = 70, 9


def make_person(world: World, canaries: Canaries, client: Client) -> User:
    """Create the person and everything that can be held of them. client: signed in to the admin as an owner."""
    person = User.objects.create_user(canaries.former, "a password", name=canaries.word, is_whitelisted=True)
    change_number(world, canaries)
    person.refresh_from_db()
    assert person.phone_number == canaries.number
    for bot in world.bots:
        for address in addresses(canaries, bot):
            if not is_e164(address):
                Identity.objects.get_or_create(user=person, channel=bot.channel, address=address)
    make_conversations(world, person, canaries)
    make_usage(world, person)
    Invite.objects.create(
        digest=canaries.say("code")[:64],
        person=person,
        note=canaries.say("is invited"),
        created_by=world.owner,
        expires_at=timezone.now() + timedelta(days=1),
    )
    edit_in_admin(client, person, canaries)
    User.objects.update_role(person, Role.ADMIN)
    make_messages(world, person, canaries)
    make_traces(world, person, canaries)
    person.refresh_from_db()
    return person


def make_conversations(world: World, person: User, canaries: Canaries) -> None:
    """Let them have talked to every bot, and chosen a model."""
    for bot in world.bots:
        conversation = Conversation.objects.find_or_create(person, bot.slug)
        said = [("user", canaries.say("asks")), ("assistant", canaries.say("is answered"))]
        add_messages(conversation, said)
        conversation.messages.filter(role="assistant").update(author=person)
        ModelChoice.objects.create(bot=bot, user=person, model=canaries.say("model"))


def make_usage(world: World, person: User) -> None:
    """Let them have cost something with every bot, and have a turn under way with one."""
    changes = Changes()
    for number, bot in enumerate(world.bots):
        UsageRecord.objects.create(
            user=person,
            bot=bot.slug,
            model="gpt-6-luna",
            model_answered="gpt-6-luna-2026-01-01",
            input_tokens=100 + number,
            cached_input_tokens=10,
            output_tokens=20,
            cost_micros=SPENT,
            budget_micros=SPENT,
            budget_day=today(),
            turn_key=person.pk * 1_000 + number,
            call_id=f"call-{person.pk}-{number}",
        )
        changes.add(person.pk, bot.slug, today(), spent=SPENT)
    bot = world.bots[0]
    Reservation.objects.create(
        turn_key=person.pk * 1_000, fence=1, user=person, bot=bot.slug, day=today(), amount_micros=RESERVED
    )
    changes.add(person.pk, bot.slug, today(), reserved=RESERVED)
    DailySpend.objects.apply(changes)
