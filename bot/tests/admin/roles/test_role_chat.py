"""The table role × command × whom it names, through whole turns: in a chat, and in the simulator in another's name."""

import json
from typing import Any

import pytest
from django.test import Client

from bot.models import Bot, InboundMessage
from bot.pipeline.commands.registry import COMMANDS
from bot.queue import accept
from bot.queue.snapshot import ActiveBot, forget
from bot.simulator.queries import UNKNOWN_NUMBER
from bot.tests.admin.roles.cells import listed
from bot.tests.admin.roles.chat_table import SAID, WRITERS, Said
from bot.tests.admin.roles.chatting import Cell, Numbers, make_cell, make_person, make_scene
from bot.tests.support.factories import BotFactory, InboundFactory, event
from bot.tests.support.fakes import ScriptedChannel, ScriptedModel, work_until
from users.models import AuditEntry
from users.tests.factories import IdentityFactory, UserFactory

VISITORS = ("user", "admin", "owner")
# Whom a visitor writes as: themselves, somebody who writes nowhere else, somebody real, staff, or nobody that is known.
AS = ("self", "user", "real", "admin", "owner", "stranger")


@pytest.fixture(autouse=True)
def unlimited(turns_db: None, settings: Any, channel: ScriptedChannel) -> None:
    """Let the tests write as much as they like."""
    settings.REDIS_URL = None
    settings.RATE_LIMIT_PER_USER = 100_000
    channel.max_text_length = 100_000  # type: ignore[misc]


@pytest.fixture
def shop(channel: ScriptedChannel) -> ActiveBot:
    bot = BotFactory.active(slug="shop", model="small", allowed_models="large")
    make_scene(bot)
    return bot


def replies(channel: ScriptedChannel) -> dict[str, str]:
    """Return what was sent to each address."""
    found: dict[str, str] = {}
    for message in channel.sent:
        found[message.address] = f"{found.get(message.address, '')}\n{message.text}"
    return found


def test_every_command_has_a_row() -> None:
    assert set(COMMANDS) - {said.text.split()[0][1:] for said in SAID} == set(), "add rows to chat_table.py"


def list_people() -> None:
    """Let somebody be among the newest people, whom /users lists."""
    UserFactory.create(phone_number="+4915157000002", name="Uwe Listed")


def test_a_command_is_carried_out_for_whom_the_table_says(shop: ActiveBot, channel: ScriptedChannel) -> None:
    numbers = Numbers()
    UserFactory.create(role="owner")  # (who is the last owner is not forgotten)
    cells = [make_cell(said, writer, numbers, shop) for said in SAID for writer in WRITERS]
    list_people()
    for number, cell in enumerate(cells):
        accept.accept(shop, [event(f"said-{number}", address=cell.address, text=cell.text)])
    work_until(model=ScriptedModel(), seconds=150)
    said = replies(channel)
    wrong = {f"{cell.writer}: {cell.said.name}": fault for cell in cells if (fault := fault_of(cell, said))}
    assert not wrong, listed(wrong)


def fault_of(cell: Cell, said: dict[str, str]) -> str:
    """Return what is wrong with a cell of the table."""
    return _fault(cell, cell.said.is_for(cell.writer), said, cell.person, "chat")


def _fault(cell: Cell, wanted: bool, said: dict[str, str], actor: Any, place: str) -> str:
    if cell.said.shows and (cell.said.shows in said.get(cell.address, "")) != wanted:
        return f"answered: {not wanted}"
    if cell.said.changes and cell.has_changed != wanted:
        return f"carried out: {not wanted}"
    if wanted and cell.said.trace and not AuditEntry.objects.filter(action=cell.said.trace, actor=actor).exists():
        return f"no {cell.said.trace} of them in the audit log ({place})"
    return ""


def real_one(number: str, phone: Bot) -> None:
    """Make somebody who writes by WhatsApp."""
    person = make_person(number, "user")
    IdentityFactory.create(user=person, channel="whatsapp", address=number)
    InboundFactory.create(bot=phone, address=number, state="done")


def make_visit(said: Said, visitor: str, as_whom: str, numbers: Numbers, shop: ActiveBot, phone: Bot) -> Cell:
    """Make a visitor of the simulator, and who they write as."""
    who = make_person(numbers.next(), visitor)
    assert who
    writer = {"self": visitor, "real": "user"}.get(as_whom, as_whom)
    address = {"self": who.phone_number, "stranger": UNKNOWN_NUMBER}.get(as_whom, "")
    if as_whom == "real":
        address = numbers.next()
        real_one(address, phone)
    cell = make_cell(said, writer, numbers, shop, address or "")
    cell.visitor, cell.name = who, f"{visitor} as {as_whom}: {said.name}"
    return cell


def may_write_as(visitor: str, as_whom: str) -> bool:
    """Return whether a visitor may write as somebody at all."""
    return visitor == "owner" or (visitor == "admin" and as_whom in ("self", "user", "stranger"))


def is_carried_out(cell: Cell, visitor: str, as_whom: str) -> bool:
    """Return whether a command is: with the weaker rights of the two, and in another's name not what is private."""
    weaker = min(visitor, cell.writer, key=WRITERS.index)
    private = cell.said.private and as_whom != "self" and visitor != "owner"
    return may_write_as(visitor, as_whom) and not private and cell.said.is_for(weaker)


@pytest.mark.parametrize("visitor", VISITORS)
def test_the_simulator_gives_the_weaker_rights_of_the_two(
    shop: ActiveBot, channel: ScriptedChannel, visitor: str
) -> None:
    numbers, phone = Numbers(), BotFactory.create(slug="phone", channel="whatsapp")
    UserFactory.create(role="owner")
    forget()
    visits = [(make_visit(said, visitor, whom, numbers, shop, phone), whom) for said in SAID for whom in AS]
    list_people()
    for cell, _whom in visits:
        client = Client()
        client.force_login(cell.visitor)  # type: ignore[arg-type]
        body = json.dumps({"bot": "shop", "person": cell.address, "text": cell.text})
        cell.status = client.post("/simulator/send/", body, content_type="application/json").status_code
    work_until(model=ScriptedModel(), seconds=150)
    said = replies(channel)
    wrong = {cell.name: fault for cell, whom in visits if (fault := fault_of_visit(cell, visitor, whom, said))}
    assert not wrong, listed(wrong)
    assert InboundMessage.objects.exclude(state="done").exclude(bot_id=phone.pk).count() == 0


def fault_of_visit(cell: Cell, visitor: str, as_whom: str, said: dict[str, str]) -> str:
    """Return what is wrong with a cell of the simulator's table."""
    if not may_write_as(visitor, as_whom) and cell.status // 100 != 4:
        return f"taken: {cell.status}"
    wanted = is_carried_out(cell, visitor, as_whom)
    if as_whom == "stranger" and cell.said.shows:
        return ""  # (one chat for all of them, in which a few commands an hour are answered)
    if as_whom == "stranger" and "{code}" in cell.said.text:
        return ""  # (whoever sends it first is no stranger to the rest)
    if fault := _fault(cell, wanted, said, cell.visitor, "simulator"):
        return fault
    if cell.person and as_whom != "self" and AuditEntry.objects.filter(actor=cell.person).exists():
        return "the audit log names who did nothing"
    in_anothers_name = wanted and cell.said.changes and cell.person and as_whom != "self"
    if in_anothers_name and not AuditEntry.objects.filter(action="command", actor=cell.visitor).exists():
        return "no command of the visitor in the audit log"
    return ""


@pytest.mark.parametrize("visitor", VISITORS)
@pytest.mark.parametrize("whom", AS)
@pytest.mark.parametrize("view", ["updates", "about"])
def test_a_chat_in_the_simulator_is_read_by_whom_it_may_be(shop: ActiveBot, visitor: str, whom: str, view: str) -> None:
    cell = make_visit(SAID[0], visitor, whom, Numbers(), shop, BotFactory.create(slug="phone", channel="whatsapp"))
    client = Client()
    client.force_login(cell.visitor)  # type: ignore[arg-type]
    status = client.get(f"/simulator/{view}/", {"bot": "shop", "person": cell.address}).status_code
    assert (status == 200) == may_write_as(visitor, whom) and (status == 200 or status // 100 == 4)
