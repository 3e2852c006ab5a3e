"""What an export holds: each model and field is told or left out for a reason; all of one person, none of another."""

import json
import tracemalloc
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from django.utils.translation import override

from bot.privacy.export.document import TooLarge, as_json, as_text, bounded, export, json_pieces, read, text_pieces
from bot.privacy.export.parts import PARTS
from bot.privacy.subjects import subject_of
from bot.tests.privacy.export.filling import fill
from bot.tests.support.factories import ALICE, BOB, STRANGER, BotFactory, whitelisted
from config.db.rows import insert_rows
from conversations.models import Conversation, Message
from conversations.tests.factories import add_messages
from users.models import Tombstone, User

pytestmark = [pytest.mark.database, pytest.mark.django_db]


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
