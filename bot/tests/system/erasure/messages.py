"""What the queue and its neighbours hold of a person: inbox, outbox, leases, requests for access."""

from datetime import timedelta
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.utils import timezone

from bot.channels.events import AddressChanged
from bot.channels.registry import CHANNELS
from bot.models import AccessRequest, Bot, InboundMessage, Lease, OutboundMessage
from bot.queue import accept
from bot.queue.snapshot import find_bot, forget
from bot.tests.system.erasure.canaries import Canaries
from bot.tests.system.erasure.world import World
from conversations.models import Conversation
from conversations.tests.factories import add_messages
from users.models import Invite, User
from users.phone import is_e164, variants

State, Status = InboundMessage.State, OutboundMessage.Status
VERA = "+4915155556666"
KINDS = ("text", "image", "contacts", "unsupported")


def addresses(canaries: Canaries, bot: Bot) -> tuple[str, ...]:
    """Return how the bot's channel may name the person."""
    opaque = canaries.bsuid if bot.channel == "whatsapp" else canaries.say(bot.channel)
    return tuple(dict.fromkeys((canaries.number, canaries.other_spelling, opaque)))


def make_messages(world: World, person: User, canaries: Canaries) -> None:
    """Let the person have written, been written to, and be named by others."""
    make_chats(world, canaries)
    for bot in world.bots:
        _notice(bot, person, canaries)
    _named_by_staff(world, canaries)


def make_chats(world: World, canaries: Canaries) -> None:
    """Let them have written to every bot, under every address; known or not."""
    for bot in world.bots:
        for address in addresses(canaries, bot):
            _make_chat(bot, address, canaries)


def change_number(world: World, canaries: Canaries) -> None:
    """Let them have written from their former number, and the provider have told of the new one since."""
    for bot in world.bots:
        for address in variants(canaries.former):
            _make_chat(bot, address, canaries)
    forget()
    for channel in CHANNELS:
        bot = next(bot for bot in world.bots if bot.channel == channel)
        active = find_bot(channel, bot.slug)
        assert active is not None
        told = canaries.wamid("moved", of=canaries.former)
        accept.accept(active, [AddressChanged(told, ((canaries.former, canaries.number),))])


def _make_chat(bot: Bot, address: str, canaries: Canaries) -> None:
    for state in State:
        for kind in KINDS if state == State.PENDING else KINDS[:1]:
            _make_turn(bot, address, canaries, state, kind)
    for status in Status:
        _outbound(bot, address, canaries, status)
    Lease.objects.create(
        bot=bot, address=address, worker=canaries.say("worker"), expires_at=timezone.now() - timedelta(minutes=1)
    )
    AccessRequest.objects.create(bot=bot, address=address, profile_name=canaries.say("asks"), messages=2)


def _make_turn(bot: Bot, address: str, canaries: Canaries, state: str, kind: str) -> None:
    """Create an inbound message that is in this state, with its reply if there is one."""
    payload = {
        "text": canaries.say("writes"),
        "profile_name": canaries.say("profile"),
        "quoted": {"deeper": [canaries.say("quoted"), canaries.number[1:]]},
    }
    if kind == "image":
        payload["other_address"] = canaries.bsuid
    row = InboundMessage.objects.create(
        bot=bot,
        external_id=canaries.wamid(InboundMessage.objects.count(), of=address if is_e164(address) else ""),
        address=address,
        kind=kind if state != State.QUARANTINED else canaries.say("kind"),
        payload={} if state == State.DONE else payload,
        state=state,
        request_id=canaries.say("request"),
        error_code=canaries.say("provider's code"),
        steps=[["access", 1], [canaries.say("step"), 2]],
    )
    if state in (State.DONE, State.DEAD):
        row.turn_key = row.pk
        row.save(update_fields=["turn_key"])
        _outbound(bot, address, canaries, Status.SENT if state == State.DONE else Status.FAILED, turn_key=row.pk)


def _outbound(bot: Bot, address: str, canaries: Canaries, status: str, **fields: Any) -> OutboundMessage:
    """Create a part of a reply; without a key its message is not there any more."""
    count = OutboundMessage.objects.count()
    document = {"filename": canaries.say("export.json")} if count % 2 else {}
    return OutboundMessage.objects.create(
        **{"turn_key": -count, "part": 1, **fields, **document},
        bot=bot,
        address=address,
        text=f'{{"name": "{canaries.say("reads")}", "phone_number": "{canaries.number}"}}',
        status=status,
        external_id=canaries.wamid(count),
        error_code=canaries.say("refusal"),
        doubt=canaries.say("doubt"),
    )


def _notice(bot: Bot, person: User, canaries: Canaries) -> None:
    """Tell them something as an owner; what it says is read by nobody else."""
    InboundMessage.objects.create(
        bot=bot,
        external_id=f"notice:{person.pk}:{canaries.say('budget')}",
        address=canaries.number,
        kind="notice",
        origin="notice",
        payload={"notice": canaries.say("is told")},
    )


def _named_by_staff(world: World, canaries: Canaries) -> None:
    """Let a member of staff write about them to a bot: the chat is the other person's."""
    bot, owner = world.bots[0], world.owner.phone_number
    assert owner
    number = canaries.number
    spaced = f"{number[:3]} ({number[3:5]}) {number[5:9]}-{number[9:]}"
    for count, (written, named) in enumerate(((number, canaries.word), (spaced, canaries.word))):
        row = InboundMessage.objects.create(
            bot=bot,
            external_id=f"wamid.of-owner-{canaries.mark}-{count}",
            address=owner,
            kind="text",
            payload={"text": f"/allow {written} {named}"},
            state=State.DEAD,
        )
    reply = f"{canaries.word} ({canaries.number}) may write to me now."
    OutboundMessage.objects.create(
        bot=bot, address=owner, turn_key=row.pk, part=1, text=reply, status=Status.FAILED, error_code="CHANNEL_ERROR:1"
    )


def others_tell(world: World, canaries: Canaries) -> None:
    """Let somebody else and staff have written about them in their own words, or named them by name only."""
    vera, bot = User.objects.get_or_create(phone_number=VERA, defaults={"name": "Vera"})[0], world.bots[0]
    for person in (vera, world.owner):
        conversation = Conversation.objects.find_or_create(person, bot.slug)
        add_messages(conversation, [("user", f"{canaries.say('is late')}: {canaries.number}")])
        address = str(person.phone_number)
        text = f"please call {canaries.say('at')} {canaries.number}"
        common = {"bot": bot, "address": address}
        key = f"{canaries.mark}-{person.pk}"
        InboundMessage.objects.create(
            **common, external_id=f"own-words-{key}", kind="text", state=State.DEAD, payload={"text": text}
        )
        asked = InboundMessage.objects.create(
            **common, external_id=f"answered-{key}", kind="text", state=State.DONE,
            steps=[["claimed", 1], ["commands", 2], ["budget", 3], ["completion", 4], ["stored", 5]],
        )  # fmt: skip
        OutboundMessage.objects.create(**common, turn_key=asked.pk, part=1, text=text, status=Status.FAILED)
    listed = InboundMessage.objects.create(
        bot=bot, address=str(world.owner.phone_number), external_id=f"listed-{canaries.mark}", kind="text",
        state=State.DONE, steps=[["claimed", 1], ["commands", 2], ["stored", 3]],
    )  # fmt: skip
    text = f"{canaries.word} may write to me now."
    chat = {"bot": bot, "address": listed.address, "turn_key": listed.pk}
    OutboundMessage.objects.create(**chat, part=1, text=text, status=Status.FAILED)
    until = timezone.now() + timedelta(days=1)
    note = canaries.say("asked for it")
    Invite.objects.create(digest=f"NOTED{canaries.mark}", note=note, created_by=world.owner, expires_at=until)
    LogEntry.objects.create(
        user=world.owner, content_type=ContentType.objects.get_for_model(Bot), object_id=str(bot.pk),
        object_repr=bot.slug, action_flag=CHANGE, change_message=f"Paused: {canaries.say('complains')}",
    )  # fmt: skip
