"""The world that the table is tried in: each role twice, each model once, a canary in each secret."""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.contrib.sessions.models import Session
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ, Schedule, Task
from django_q.signing import SignedPackage

from bot.models import AccessRequest, Bot, Heartbeat, Lease, OutboundMessage
from bot.tests.support.factories import BotFactory, InboundFactory
from conversations.tests.factories import ConversationFactory, MessageFactory
from usage.models import DailySpend
from usage.tests.factories import ModelPriceFactory, UsageRecordFactory
from users.models import AuditEntry, Invite
from users.roles import Role
from users.tests.factories import IdentityFactory, UserFactory

ROLES = ("nobody", "user", "admin", "owner")
CODE = re.compile(r"\b[2-9A-HJ-NP-TW-Z]{12}\b")
# What stands in the database of a code: itself, or its digest.
OF_CODES = re.compile("code|digest|hash")


@dataclass
class World:
    """Who and what there is, by name; and the secrets, of which each stands in one place only."""

    rows: dict[str, Any] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    clients: dict[str, Client] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        return self.rows[name]

    def canary(self, name: str) -> str:
        """Return a text that stands nowhere else, and remember it as a secret."""
        self.secrets[name] = f"kanari{len(self.secrets):02}{name.title().replace(' ', '')}"
        return self.secrets[name]

    def of(self, model: type[Model]) -> list[Any]:
        """Return the rows of a model."""
        return list(model._base_manager.order_by("pk"))


def make_world() -> World:
    """Make everybody and everything."""
    world = World()
    _people(world)
    _bots(world)
    _chats(world)
    _desk(world)
    for role in ROLES:
        world.clients[role] = Client()
        if role != "nobody":
            world.clients[role].force_login(world[role])
    for number, session in enumerate(Session.objects.all()):
        world.secrets[f"session {number}"] = session.session_key
    _invites(world)
    return world


def _people(world: World) -> None:
    cast: dict[str, dict[str, Any]] = {
        "user": {"name": "Uma Chats"},
        "admin": {"name": "Adam Admin", "role": Role.ADMIN, "password": "correct horse"},
        "owner": {"name": "Olga Owner", "role": Role.OWNER, "password": "correct horse"},
        "admin2": {"name": "Ada Admin", "role": Role.ADMIN, "password": "battery staple"},
        "owner2": {"name": "Otto Owner", "role": Role.OWNER, "password": "battery staple"},
        "blocked admin": {"name": "Abel Admin", "role": Role.ADMIN, "is_whitelisted": False},
        # Somebody real, with chats on WhatsApp; and somebody who has been tried in the simulator only.
        "dana": {"name": "Dana Weber"},
        "tess": {"name": "Tess Console"},
        "blocked": {"name": "Bela Blocked", "is_whitelisted": False},
        # Known, but nothing was ever said to them.
        "fresh": {"name": "Fred Fresh", "is_whitelisted": False, "phone_number": None},
        "nameless": {"name": "Nina Nonumber", "phone_number": None},
    }
    for number, (name, fields) in enumerate(cast.items()):
        world.rows[name] = UserFactory.create(**{"phone_number": f"+4915155500{number:03}", **fields})
    world.rows["identity"] = IdentityFactory.create(user=world["dana"], address="70070071")
    IdentityFactory.create(user=world["nameless"], address="70070072")
    for name in ("admin2", "owner2"):
        world.secrets[f"password of {name}"] = world[name].password


def _bots(world: World) -> None:
    secrets = {name: world.canary(name) for name in ("app_secret", "access_token", "verify_token")}
    world.rows["console"] = BotFactory.create(slug="console", name="Console")
    account = {"channel": "whatsapp", "account_id": "100200300", "credentials": secrets, "contact": "+4930123456"}
    world.rows["other bot"] = BotFactory.create(slug="whatsapp", name="Phone", **account)
    paused = {"paused_at": timezone.now(), "pause_reason": "by hand"}
    world.rows["paused"] = BotFactory.create(slug="paused", name="Paused", **paused)
    world.rows["preview"] = BotFactory.create(slug="preview", name="Preview", preview_of=world["console"])


def _chats(world: World) -> None:
    """Let people have said something: each secret text in one chat, on one channel."""
    for name in ("dana", "tess", "admin2", "owner2"):
        bots = ("console", "other bot") if name == "dana" else ("console",)
        for bot in bots:
            _chat(world, name, world[bot], f"{name} on {bot}")
    _chat(world, "nameless", world["console"], "nameless on console", address="70070072")
    asked = {"bot": world["console"], "profile_name": "Sven", "messages": 2}
    world.rows["request"] = AccessRequest.objects.create(address="+4915155500900", **asked)
    world.rows["staff request"] = AccessRequest.objects.create(address=world["blocked admin"].phone_number, **asked)


def _chat(world: World, name: str, bot: Bot, place: str, address: str = "") -> None:
    person, where = world[name], {"bot": bot, "address": address or world[name].phone_number}
    said = ConversationFactory.create(user=person, bot=bot.slug)
    MessageFactory.create(conversation=said, content=world.canary(f"conversation {place}"))
    payload = {"text": world.canary(f"inbox {place}")}
    dead = InboundFactory.create(**where, payload=payload, state="dead", error_code="INTERNAL_ERROR")
    dead.turn_key = dead.pk
    dead.save()
    pending = InboundFactory.create(**where, payload={"text": world.canary(f"waiting {place}")})
    part = {**where, "turn_key": dead.pk}
    text = OutboundMessage.objects.create(**part, part=0, text=world.canary(f"outbox {place}"), status="uncertain")
    wrong = {"status": "failed", "error_code": "CHANNEL_ERROR", "text": world.canary(f"failed {place}")}
    failed = OutboundMessage.objects.create(**part, part=1, **wrong)
    file = {"filename": "parley-data.txt", "text": world.canary(f"document {place}"), "external_id": f"x-{dead.pk}"}
    document = OutboundMessage.objects.create(**part, part=2, status="sent", **file)
    made = {"said": said, "dead": dead, "pending": pending, "text": text, "failed": failed, "document": document}
    world.rows.update({f"{kind} {place}": row for kind, row in made.items()})


def _desk(world: World) -> None:
    dana, now = world["dana"], timezone.now()
    world.rows["lease"] = Lease.objects.create(
        bot=world["other bot"], address=dana.phone_number, worker="w", expires_at=now
    )
    world.rows["record"] = UsageRecordFactory.create(user=dana, bot="console")
    world.rows["spend"] = DailySpend.objects.create(user=dana, bot="", day=timezone.localdate(), spent_micros=1_000)
    world.rows["price"] = ModelPriceFactory.create()
    world.rows["entry"] = AuditEntry.objects.create(action="exported", subject=dana.pk, actor=None, via="command")
    # As long as the table is walked, which takes minutes on a slow machine.
    alive = timezone.now() + timedelta(hours=2)
    Heartbeat.objects.create(kind=Heartbeat.Kind.SCHEDULER, process="scheduler", seen_at=alive)
    func, args = "bot.operations.schedules.purge", f"('{world.canary('arguments')}',)"
    world.rows["schedule"] = Schedule.objects.create(name="purge", func=func, args=args, schedule_type=Schedule.DAILY)
    for name, success in (("success", True), ("failure", False)):
        ended = {"started": now, "stopped": now, "success": success, "attempt_count": 1}
        result = None if success else "ValueError : nothing worked"
        task = Task.objects.create(id=name, name=name, func=func, args=(world.canary(name),), result=result, **ended)
        world.rows[name] = task
    task = {"id": "1", "name": "waits", "func": func, "args": (world.canary("queue"),), "kwargs": {}}
    world.rows["queued"] = OrmQ.objects.create(key="parley", payload=SignedPackage.dumps(task), lock=now)


def _invites(world: World) -> None:
    """Let the owner make invites, as owners do, and note the codes that are shown; then the web is as it was."""
    for name in ("new", "fresh", "dana", "admin2", "owner2"):
        until = timezone.localtime() + timedelta(days=2)
        form = {"note": f"note of {name}", "max_uses": "1", "expires_at_0": f"{until:%Y-%m-%d}",
                "expires_at_1": f"{until:%H:%M:%S}", "person": "" if name == "new" else world[name].pk}  # fmt: skip
        page = world.clients["owner"].post(reverse("admin:users_invite_add"), form, follow=True)
        invite = Invite.objects.order_by("pk").last()
        assert invite is not None and invite.note == form["note"], page.content.decode()[-2000:]
        stored = [str(getattr(invite, one.attname)) for one in invite._meta.fields if OF_CODES.search(one.name)]
        if name in ("admin2", "owner2"):  # (who may not invite staff learns nothing of these)
            world.secrets[f"note of {name}"] = str(form["note"])
        codes = [*CODE.findall(page.content.decode()), *filter(None, stored)]
        for number, code in enumerate(dict.fromkeys(codes)):
            world.secrets[f"code {number} of {name}"] = code
        assert codes, "whoever makes an invite is shown its code"
        world.rows[f"invite of {name}"] = invite
