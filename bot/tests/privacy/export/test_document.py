"""What an export holds: each model and field is told or left out for a reason; all of one person, none of another."""

import json
import re
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.backends.db import SessionStore
from django.db.models import ForeignKey, ManyToManyField
from django.utils import timezone
from django.utils.translation import override

from bot.models import AccessRequest, Bot, InboundMessage, Lease, ModelChoice, OutboundMessage
from bot.privacy.export.document import TooLarge, as_json, as_text, bounded, export, json_pieces, read, text_pieces
from bot.privacy.export.fields import Part
from bot.privacy.export.parts import NOT_EXPORTED, PARTS
from bot.privacy.subjects import subject_of, subject_of_address
from bot.tests.support.factories import ALICE, BOB, STRANGER, BotFactory, whitelisted
from config.db.rows import insert_rows
from conversations.models import Conversation, Message
from conversations.tests.factories import add_messages
from usage.models import DailySpend, Reservation, UsageRecord
from users.invites import create_invite
from users.models import AuditEntry, Identity, Invite, Tombstone, User

pytestmark = [pytest.mark.database, pytest.mark.django_db]

SECRETS = ("password", "digest", "session_key", "session_data")


def with_inner() -> Iterator[Part]:
    for part in PARTS:
        yield part
        if part.inner:
            yield part.inner


# --- which models and fields ---


def test_every_model_is_exported_or_holds_nothing_of_anybody() -> None:
    exported = {part.model._meta.label for part in with_inner()}
    models = {model._meta.label for model in apps.get_models()}
    assert exported | NOT_EXPORTED.keys() == models
    assert not exported & NOT_EXPORTED.keys()


def test_what_is_not_exported_names_nobody() -> None:
    for label in NOT_EXPORTED:
        options = apps.get_model(label)._meta
        for field in (*options.concrete_fields, *options.many_to_many):
            points_at_people = isinstance(field, ForeignKey | ManyToManyField) and field.related_model is User
            assert not points_at_people, f"{label}.{field.name} is about a person"
            named = re.fullmatch(r"(\w+_)?(address|phone|phone_number|person|user|user_id)", field.name)
            assert not named, f"{label}.{field.name} may name a person"


def test_every_field_is_told_or_left_out_for_a_reason() -> None:
    for model in {part.model for part in with_inner()}:
        parts = [part for part in with_inner() if part.model is model]
        fields = {field.name for field in (*model._meta.concrete_fields, *model._meta.many_to_many)}
        told = {part.computed.get(one.field, one.field) for part in parts for one in part.told}
        left_out = {name: why for part in parts for name, why in part.left_out.items()}
        assert told | left_out.keys() == fields, f"{model._meta.label}: {fields ^ (told | left_out.keys())}"
        assert all(left_out.values())


def test_no_secret_is_told() -> None:
    told = {one.field for part in with_inner() for one in part.told}
    assert not told & set(SECRETS)
    assert not told & {"credentials", "object_repr"}


# --- two people with everything ---


def fill(person: User, mark: str, bots: list[Any], staff: User) -> None:
    """Leave something about a person in every table; each of its texts begins with their mark."""
    number, at = person.phone_number or "", datetime(2026, 11, 25, 12, 30, 15, tzinfo=UTC)
    bot = bots[0]
    person.set_password(f"{mark}-password")
    person.last_login = at
    person.daily_budget_micros = 1_250_000
    person.save()
    Identity.objects.create(user=person, channel="whatsapp", address=f"US.{mark}SID")
    ModelChoice.objects.create(bot=bot, user=person, model=f"{mark}-model")
    for one in bots:
        conversation = Conversation.objects.find_or_create(person, one.slug)
        add_messages(conversation, [("user", f"{mark}-said"), ("assistant", f"{mark}-heard")])
    for n, address in enumerate((number, f"US.{mark}SID")):
        chat = {"bot": bots[n], "address": address}
        InboundMessage.objects.create(
            **chat, external_id=f"{mark}-in{n}", kind="text", state="dead", error_code="INTERNAL_ERROR",
            payload={"text": f"{mark}-wrote{n}", "profile_name": f"{mark}-profile"}, turn_key=n + 1,
        )  # fmt: skip
        OutboundMessage.objects.create(**chat, turn_key=hash((mark, n)) % 10**9, part=1, text=f"{mark}-reply{n}")
        OutboundMessage.objects.create(
            **chat, turn_key=hash((mark, n)) % 10**9, part=2, text=f"{mark}-content", filename=f"{mark}.txt"
        )
        Lease.objects.create(**chat, worker="w1", expires_at=at)
        AccessRequest.objects.create(**chat, profile_name=f"{mark}-asked", messages=3)
    UsageRecord.objects.create(
        user=person, bot=bot.slug, model=f"{mark}-asked-model", input_tokens=10, output_tokens=5, cost_micros=123,
        call_id=f"{mark}-call", price={"source": f"{mark}-price"},
    )  # fmt: skip
    DailySpend.objects.create(user=person, day=at.date(), spent_micros=123)
    Reservation.objects.create(user=person, turn_key=hash(mark) % 10**9, fence=1, day=at.date(), amount_micros=77)
    create_invite(person=person, note=f"{mark}-note", created_by=staff)
    Invite.objects.filter(pk=create_invite(note=f"{mark}-for-somebody-else").pk).update(created_by=person)
    kind = ContentType.objects.get_for_model(User)
    LogEntry.objects.create(
        user=staff, content_type=kind, object_id=str(person.pk), object_repr=f"{mark}-repr", action_flag=CHANGE,
        change_message=f'[{{"changed": {{"fields": ["{mark}-field"]}}}}]',
    )  # fmt: skip
    LogEntry.objects.create(
        user=person, content_type=kind, object_id=str(staff.pk), object_repr="Olga", action_flag=CHANGE,
        change_message="about Olga",
    )  # fmt: skip
    AuditEntry.objects.create(action="read", subject=person.pk, actor=staff, via="admin", details={"conversation": 1})
    AuditEntry.objects.create(action="exported", subject=person.pk, via="chat")
    session = SessionStore()
    session["_auth_user_id"] = str(person.pk)
    session.save()


@pytest.fixture
def olga(db: None) -> User:
    return whitelisted("+12025550777", name="Olga Owner", role="owner")


@pytest.fixture
def alice(olga: User) -> User:
    return whitelisted(ALICE, name="ALICEMARK-name")


@pytest.fixture
def bob(alice: User, olga: User) -> User:
    bob = whitelisted(BOB, name="BOBMARK-name")
    bots = [
        BotFactory(slug="shop", credentials={"access_token": "SECRET-token"}, system_prompt="SECRET-prompt"),
        BotFactory(slug="help", channel="whatsapp"),
    ]
    fill(alice, "ALICEMARK", bots, olga)
    fill(bob, "BOBMARK", bots, olga)
    Tombstone.objects.bury([("console", STRANGER)], timezone.now())
    return bob


def words_of(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def test_everything_of_one_person_is_told_and_nothing_of_another(alice: User, bob: User) -> None:
    for mine, other, person in (("ALICEMARK", "BOBMARK", alice), ("BOBMARK", "ALICEMARK", bob)):
        held = export(subject_of(person))
        for said in (as_json(held), as_text(held)):
            for word in (
                *("name", "model", "said", "heard", "wrote0", "wrote1", "profile", "reply0", "reply1", "asked"),
                *("asked-model", "note", "field", "in0", "in1"),
            ):
                assert f"{mine}-{word}" in said, word
            assert f"US.{mine}SID" in said
            assert f"{mine}.txt" in said
            for secret in ("password", "content", "call", "price", "for-somebody-else", "repr"):
                assert f"{mine}-{secret}" not in said, secret
            for foreign in (other, "Olga", "SECRET", "+12025550777", STRANGER):
                assert foreign not in said, foreign
            assert person.password not in said
        assert words_of(bob.phone_number if person == alice else alice.phone_number)[1:-1] not in as_json(held)


def test_every_part_of_a_person_with_everything_holds_something(alice: User, bob: User) -> None:
    held = export(subject_of(alice))
    assert [part.name for part in PARTS if not held[part.name]] == []
    counts = {part.name: len(held[part.name]) for part in PARTS}
    assert counts == {
        **dict.fromkeys(counts, 1),
        **dict.fromkeys(("conversations", "received", "chats", "access_requests", "admin_history", "audit_log"), 2),
        "sent": 4,
    }
    assert [len(conversation["messages"]) for conversation in held["conversations"]] == [2, 2]


def test_staff_are_called_staff_and_oneself_oneself(alice: User, bob: User, olga: User) -> None:
    held = export(subject_of(alice))
    assert [row["by"] for row in held["audit_log"]] == ["a member of staff", None]
    assert [(row["by"], row["about_you"], row["details"] != "") for row in held["admin_history"]] == [
        ("a member of staff", True, True),
        ("you", False, False),
    ]
    assert held["invites_for_you"][0]["created_by"] == "a member of staff"
    of_olga = export(subject_of(olga))
    assert {(row["action"], row["by"], row["about_you"]) for row in of_olga["audit_log"]} == {("read", "you", False)}
    assert "ALICEMARK" not in as_json(of_olga)
    assert "BOBMARK" not in as_text(of_olga)


def test_a_stranger_has_what_their_address_left_and_no_person(alice: User, bob: User) -> None:
    AccessRequest.objects.create(bot=Bot.objects.get(slug="shop"), address=STRANGER, profile_name="Sam")
    held = export(subject_of_address("console", STRANGER))
    assert {part.name for part in PARTS if held[part.name]} == {"access_requests"}
    assert held["access_requests"][0]["profile_name"] == "Sam"
    assert "MARK" not in as_json(held) + as_text(held)


# --- how it is written ---


def test_json_is_json_with_times_in_their_zone_money_in_dollars_and_letters_as_they_are(alice: User, bob: User) -> None:
    User.objects.filter(pk=alice.pk).update(name='Ünal "Ü" ALICEMARK-name \u2028 👋')
    held = export(subject_of(alice))
    said = as_json(held)
    assert json.loads(said) == held
    assert 'Ünal \\"Ü\\"' in said
    assert said.startswith('{\n  "made_at": "')
    assert said.endswith("}\n")
    assert held["usage"][0]["cost_usd"] == "0.000123"
    assert held["person"][0]["daily_budget_usd"] == "1.250000"
    assert held["person"][0]["last_login"] == "2026-11-25T12:30:15+00:00"
    times = re.findall(r'"\w+(?:_at|_login|until|\bat)": "([^"]+)"', said)
    assert len(times) > 20
    assert all(datetime.fromisoformat(one).tzinfo for one in times)


def test_the_text_has_headings_words_and_local_times(alice: User, bob: User, settings: Any) -> None:
    settings.TIME_ZONE = "America/New_York"
    with timezone.override("America/New_York"):
        said = as_text(export(subject_of(alice)))
    assert "\n\nYou\n===\n" in said
    assert "2026-11-25 07:30:15 EST" in said
    assert "cost: $0.000123" in said
    assert "state: dead letter" in said
    assert "may talk to the bots: yes" in said
    assert "T12:30:15" not in said
    assert "None" not in said


def test_the_text_is_in_the_language_that_is_spoken(alice: User, bob: User) -> None:
    held = export(subject_of(alice))
    with override("de"):
        said = as_text(held)
    # (Words that the models share with the admin.)
    assert f"Telefonnummer: {ALICE}" in said
    assert "unzustellbar" in said


def test_nobody_can_write_a_heading_of_ours(alice: User) -> None:
    add_messages(Conversation.objects.find_or_create(alice, "shop"), [("user", "hi\n\nYou\n===\n- name: Mallory")])
    User.objects.filter(pk=alice.pk).update(name="a\n\nYou\n===\n- name: Mallory")
    said = as_text(export(subject_of(alice)))
    assert said.count("\nYou\n===\n") == 1
    assert "\n- name: Mallory" not in said


# --- how much it takes ---


def many_messages(alice: User, number: int) -> None:
    conversation = Conversation.objects.find_or_create(alice, "shop")
    rows = [
        {
            "conversation_id": conversation.pk,
            "role": "user",
            "content": f"{n} {'word ' * 40}",
            "created_at": timezone.now(),
        }
        for n in range(number)
    ]
    insert_rows(Message, rows)


def test_a_person_with_many_messages_takes_little_memory(alice: User) -> None:
    many_messages(alice, 10_000)
    subject = subject_of(alice)
    for pieces in (json_pieces(read(subject)), text_pieces(read(subject))):
        tracemalloc.start()
        size = sum(len(piece) for piece in pieces)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert size > 2_000_000
        assert peak < 1_500_000


def test_what_is_too_large_is_read_no_further(alice: User) -> None:
    taken = []

    def pieces() -> Iterator[str]:
        for n in range(100):
            taken.append(n)
            yield "ää"

    with pytest.raises(TooLarge):
        bounded(pieces(), 10)
    assert taken == [0, 1, 2]
    assert bounded(iter(["ää", "b"]), 5) == "ääb"


def test_old_times_do_not_matter(alice: User) -> None:
    conversation = Conversation.objects.find_or_create(alice, "shop")
    add_messages(conversation, [("user", "expired, and not deleted yet")])
    Conversation.objects.update(expires_at=timezone.now() - timedelta(days=1))
    assert "expired, and not deleted yet" in as_json(export(subject_of(alice)))
