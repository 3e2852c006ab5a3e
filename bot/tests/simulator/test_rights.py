"""As whom staff write in the simulator, by whose rights their commands are judged, and whose name is noted."""

from typing import Any

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from bot.models import AccessRequest, Bot, InboundMessage, OutboundMessage
from bot.queue import accept, snapshot
from bot.queue.snapshot import ActiveBot
from bot.simulator.queries import UNKNOWN_NUMBER
from bot.tests.simulator.playing import look, send
from bot.tests.support.factories import BotFactory, event
from bot.tests.support.fakes import ScriptedChannel, ScriptedModel, work_until
from conversations.models import Conversation
from conversations.tests.factories import ConversationFactory, add_messages
from usage.tests.factories import UsageRecordFactory
from users.models import AuditEntry, Identity, User
from users.roles import Role
from users.tests.factories import UserFactory

OWNER, ADMIN, OTHER, DANA, TEST = (f"+1202555010{number}" for number in range(1, 6))
pytestmark = pytest.mark.usefixtures("turns_db")


@pytest.fixture
def people(bot: ActiveBot) -> dict[str, User]:
    """An owner, two admins, Dana, who writes by WhatsApp, and somebody whom staff have made up."""
    roles = {OWNER: Role.OWNER, ADMIN: Role.ADMIN, OTHER: Role.ADMIN, DANA: Role.USER, TEST: Role.USER}
    made = {number: UserFactory.create(phone_number=number, role=role) for number, role in roles.items()}
    ConversationFactory.create(user=made[DANA], bot=BotFactory.create(slug="wa", channel="whatsapp").slug)
    snapshot.forget()
    return made


@pytest.fixture
def admin(client: Client, people: dict[str, User]) -> Client:
    client.force_login(people[ADMIN])
    return client


@pytest.fixture
def owner(people: dict[str, User]) -> Client:
    client = Client()
    client.force_login(people[OWNER])
    return client


def is_in(number: str) -> bool:
    return User.objects.get(phone_number=number).is_whitelisted


# --- as whom ---


@pytest.mark.parametrize("text", [f"/deny {OTHER}", f"/allow {OTHER}", "/reset", "/model", "/usage", "Hello"])
@pytest.mark.parametrize("person", [OWNER, OTHER])
def test_an_admin_writes_nothing_as_another_member_of_staff(admin: Client, person: str, text: str) -> None:
    refused = send(admin, person, text)
    assert refused.status_code == 403
    assert "Only an owner may write as another member of staff" in refused.json()["error"]
    assert not InboundMessage.objects.exists()


@pytest.mark.parametrize("person", [OWNER, OTHER, DANA])
@pytest.mark.parametrize("page", ["updates", "about"])
def test_an_admin_sees_the_chat_of_no_owner_other_admin_or_real_person(admin: Client, person: str, page: str) -> None:
    assert look(admin, person, page) == 403


def test_an_admin_does_not_ask_for_what_a_real_person_has_said(admin: Client) -> None:
    refused = send(admin, DANA, "What did I tell you before?")
    assert refused.status_code == 403
    assert "chats of their own" in refused.json()["error"]


@pytest.mark.parametrize("person", [ADMIN, TEST, UNKNOWN_NUMBER])
def test_an_admin_writes_as_themselves_and_as_people_who_are_made_up(admin: Client, person: str) -> None:
    assert send(admin, person).status_code == 201
    assert look(admin, person) == look(admin, person, "about") == 200


@pytest.mark.parametrize("person", [OWNER, ADMIN, DANA, TEST, UNKNOWN_NUMBER])
def test_an_owner_writes_as_anybody(owner: Client, person: str) -> None:
    assert send(owner, person).status_code == 201
    assert look(owner, person) == 200


def test_the_one_nobody_is_is_no_way_to_somebody_whose_address_it_has_become(
    admin: Client, people: dict[str, User]
) -> None:
    Identity.objects.create(user=people[OWNER], channel="console", address=UNKNOWN_NUMBER)
    assert send(admin, UNKNOWN_NUMBER).status_code == look(admin, UNKNOWN_NUMBER) == 403


@pytest.mark.parametrize(
    "trace",
    [
        "identity",
        "conversation",
        "usage",
        "usage with a bot that is gone",
        "inbox",
        "outbox",
        "sign-in",
        "audit",
        "history",
    ],
)
def test_who_has_any_trace_outside_the_simulator_is_a_real_person(
    admin: Client, people: dict[str, User], trace: str
) -> None:
    assert send(admin, TEST).status_code == 201
    person, wa = people[TEST], BotFactory.create(slug="wa2", channel="whatsapp")
    {
        "identity": lambda: Identity.objects.create(user=person, channel="whatsapp", address="DE.1"),
        "conversation": lambda: ConversationFactory.create(user=person, bot="a bot that is gone"),
        "usage with a bot that is gone": lambda: UsageRecordFactory.create(user=person, bot="gone"),
        "sign-in": lambda: User.objects.filter(pk=person.pk).update(last_login=timezone.now()),
        "audit": lambda: AuditEntry.objects.create(action="allowed", subject=1, actor=person, via="chat"),
        "history": lambda: LogEntry.objects.create(user=person, action_flag=CHANGE),
        "usage": lambda: UsageRecordFactory.create(user=person, bot=wa.slug),
        "inbox": lambda: InboundMessage.objects.create(bot=wa, external_id="1", address=TEST, kind="text"),
        "outbox": lambda: OutboundMessage.objects.create(bot=wa, address=TEST, turn_key=1, part=1, text="Hi"),
    }[trace]()
    assert send(admin, TEST).status_code == look(admin, TEST) == 403


def test_a_colleagues_own_chat_stays_theirs_when_they_are_no_member_of_staff_any_more(
    admin: Client, people: dict[str, User]
) -> None:
    colleague = Client()
    colleague.force_login(people[OTHER])
    assert send(colleague, OTHER, "I am ill").status_code == 201
    User.objects.update_role(User.objects.get(phone_number=OTHER), Role.USER)
    assert send(admin, OTHER).status_code == look(admin, OTHER) == look(admin, OTHER, "about") == 403


@pytest.mark.parametrize(
    ("number", "written"),
    [
        ("+5511987654321", "+551187654321"),
        ("+551187654321", "+5511987654321"),
        ("+525512345678", "+5215512345678"),
        ("+541123456789", "+5491123456789"),
    ],
)
@pytest.mark.parametrize("box", ["inbox", "outbox"])
def test_a_message_counts_however_the_number_is_spelled(admin: Client, number: str, written: str, box: str) -> None:
    UserFactory.create(phone_number=number)
    assert look(admin, number) == 200
    wa = Bot.objects.get(slug="wa")
    if box == "inbox":
        InboundMessage.objects.create(bot=wa, external_id="1", address=written, kind="text")
    else:
        OutboundMessage.objects.create(bot=wa, address=written, turn_key=1, part=1, text="Hi")
    assert send(admin, number).status_code == look(admin, number) == 403
    # (Nobody else's.)
    assert look(admin, TEST) == 200


# --- a slug that another bot had ---


@pytest.fixture
def remembered(people: dict[str, User]) -> Bot:
    """A bot on WhatsApp that remembers what Dana has said."""
    bot = BotFactory.create(slug="clinic", channel="whatsapp", account_id="1")
    conversation = Conversation.objects.find_or_create(people[DANA], "clinic")
    add_messages(conversation, [("user", "I am ill"), ("assistant", "Get well soon")])
    return bot


def seen(client: Client, slug: str) -> str:
    snapshot.forget()
    return client.get("/simulator/updates/", {"bot": slug, "person": DANA}).content.decode()


def add_bot(owner: Client, slug: str) -> Bot:
    owner.post(
        reverse("admin:bot_bot_add"), {"channel": "console", "name": "New", "slug": slug, "system_prompt": "Hello"}
    )
    return Bot.objects.get(slug=slug, channel="console")


def test_a_deleted_bots_conversations_are_not_read_under_its_slug(
    admin: Client, owner: Client, people: dict[str, User], remembered: Bot
) -> None:
    kept = Conversation.objects.find_or_create(people[DANA], "shop")
    url = reverse("admin:bot_bot_delete", args=(remembered.pk,))
    assert "forgotten at once" in owner.get(url).content.decode()
    owner.post(url, {"post": "yes"})
    assert not Bot.objects.filter(pk=remembered.pk).exists()
    assert not Conversation.objects.live().filter(bot="clinic").exists()
    assert Conversation.objects.live().filter(pk=kept.pk).exists(), "another bot's"
    BotFactory.create(slug="clinic", channel="console")
    assert "I am ill" not in seen(admin, "clinic") + seen(owner, "clinic")
    again = Conversation.objects.find_or_create(people[DANA], "clinic")
    assert not again.messages.exists()


def test_a_new_bot_remembers_nothing_of_one_that_was_called_so(admin: Client, owner: Client, remembered: Bot) -> None:
    remembered.delete()
    add_bot(owner, "clinic")
    assert "I am ill" not in seen(admin, "clinic") + seen(owner, "clinic")


def test_a_bot_that_gets_another_slug_remembers_nothing_of_one_that_was_called_so(
    admin: Client, owner: Client, remembered: Bot
) -> None:
    remembered.delete()
    bot = add_bot(owner, "other")
    owner.post(
        reverse("admin:bot_bot_change", args=(bot.pk,)),
        {"name": "New", "slug": "clinic", "is_active": "on", "system_prompt": "Hello", "burst_wait_seconds": "0"},
    )
    assert Bot.objects.get(pk=bot.pk).slug == "clinic"
    assert "I am ill" not in seen(admin, "clinic") + seen(owner, "clinic")


def test_an_admin_is_offered_only_as_whom_they_may_write(admin: Client, owner: Client) -> None:
    page, all_of_them = admin.get("/").content.decode(), owner.get("/").content.decode()
    found = [admin.get("/simulator/people/", {"q": number}).json()["people"] for number in (OWNER, OTHER, DANA)]
    assert found == [[], [], []]
    for number, offered in {OWNER: False, OTHER: False, DANA: False, ADMIN: True, TEST: True}.items():
        assert (number in page, number in all_of_them) == (offered, True), number


def test_the_story_of_another_persons_reply_is_not_told(admin: Client, owner: Client, bot: ActiveBot) -> None:
    row = InboundMessage.objects.create(bot_id=bot.id, external_id="1", address=OWNER, kind="text", state="done")
    reply = OutboundMessage.objects.create(bot_id=bot.id, address=OWNER, turn_key=row.pk, part=1, text="Hi")
    assert admin.get(f"/simulator/stories/{reply.pk}/").status_code == 403
    assert owner.get(f"/simulator/stories/{reply.pk}/").status_code == 200


# --- by whose rights, and in whose name ---


@pytest.fixture
def written(bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel) -> Any:
    """Let a member of staff write as somebody past the simulator's own walls, and return the answer."""

    def write(visitor: User, person: str, text: str) -> str:
        already = len(channel.texts)
        accept.accept(bot, [event(f"m{len(text)}{already}", address=person, text=text)], visitor=visitor.pk)
        work_until(model=model)
        return "\n".join(channel.texts[already:])

    return write


def test_a_command_needs_the_rights_of_visitor_and_person(written: Any, people: dict[str, User]) -> None:
    assert "only an owner" in written(people[ADMIN], OWNER, f"/deny {OTHER}")
    assert "only an owner" in written(people[OWNER], ADMIN, f"/deny {OTHER}")
    assert "I don't know /deny" in written(people[OWNER], DANA, f"/deny {OTHER}")
    assert is_in(OTHER)
    assert "may not write" in written(people[OWNER], OWNER, f"/deny {OTHER}")
    assert not is_in(OTHER)
    assert "only an owner" in written(people[ADMIN], OWNER, f"/allow {OTHER}")
    assert not is_in(OTHER)


def test_who_is_no_member_of_staff_any_more_gives_no_command_of_staff(written: Any, people: dict[str, User]) -> None:
    User.objects.update_role(people[ADMIN], Role.USER)
    assert "I don't know /users" in written(people[ADMIN], OWNER, "/users")


def test_a_request_of_staff_is_let_in_by_who_may_alone(written: Any, people: dict[str, User], bot: ActiveBot) -> None:
    User.objects.filter(pk=people[OTHER].pk).update(is_whitelisted=False)
    asked = AccessRequest.objects.create(bot_id=bot.id, address=OTHER)
    assert "only an owner" in written(people[ADMIN], OWNER, f"/allow #{asked.pk}")
    assert not is_in(OTHER)


def test_help_lists_what_visitor_and_person_may(written: Any, people: dict[str, User]) -> None:
    assert "/users" in written(people[OWNER], ADMIN, "/help")
    assert "/users" not in written(people[OWNER], TEST, "/help")


@pytest.mark.parametrize("text", ["/forget", "/export"])
def test_the_worker_carries_out_nothing_in_anothers_name_that_the_page_refuses(
    written: Any, people: dict[str, User], text: str
) -> None:
    assert "I don't know" in written(people[ADMIN], DANA, text)


def test_the_log_names_the_visitor(written: Any, people: dict[str, User], caplog: pytest.LogCaptureFixture) -> None:
    written(people[OWNER], ADMIN, "/deny +12025550104")
    (denied,) = [record for record in caplog.records if record.getMessage() == "person_denied"]
    assert denied.__dict__["staff"] == people[OWNER].pk


def test_no_webhook_says_who_of_the_staff_has_written(bot: ActiveBot) -> None:
    accept.accept(bot, [event("m1", text="/users", profile_name="visitor", other_address="visitor")])
    assert "visitor" not in InboundMessage.objects.get().payload


# --- documents of nobody ---


def test_a_document_of_an_address_that_is_nobodys_any_more_is_for_owners(
    admin: Client, owner: Client, bot: ActiveBot, people: dict[str, User]
) -> None:
    row = {"turn_key": 1, "text": "everything about Dana", "filename": "parley-data.txt", "status": "sent"}
    document = OutboundMessage.objects.create(bot_id=bot.id, address=DANA, part=1, **row)
    User.objects.filter(pk=people[DANA].pk).update(phone_number="+12025550177")
    assert admin.get(f"/simulator/documents/{document.pk}/").status_code == 403
    assert owner.get(f"/simulator/documents/{document.pk}/").status_code == 200
