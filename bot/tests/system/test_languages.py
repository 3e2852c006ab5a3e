"""Each bot says its own sentences in its own language, also when several do at the same moment in one worker."""

import asyncio
import re
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
from django.utils import timezone, translation

from bot.ai.demo import DemoModel
from bot.channels.connection import Account
from bot.channels.registry import CHANNELS
from bot.channels.sending import OutboundText, SendError
from bot.errors import AppError, ErrorCode
from bot.models import InboundMessage
from bot.operations.alerts import raise_alerts
from bot.queue import accept
from bot.queue.snapshot import ActiveBot
from bot.tests.support.factories import ALICE, STRANGER, BotFactory, event, whitelisted
from bot.tests.support.fakes import ScriptedChannel, ScriptedModel, work_until
from bot.worker.retry import MOST_ATTEMPTS
from bot.worker.worker import Worker
from usage.days import today
from usage.models import DailySpend
from users.models import User
from users.roles import Role

pytestmark = pytest.mark.promise("languages")

LANGUAGES = {"laden": "de", "tienda": "es", "shop": ""}
SEVERAL = 12


class ManyBots(ScriptedChannel):
    """Keeps what each bot said."""

    def __init__(self) -> None:
        super().__init__()
        self.by_bot: dict[str, list[str]] = {}

    async def send(self, client: aiohttp.ClientSession, account: Account, message: OutboundText) -> str:
        self.by_bot.setdefault(account.bot, []).append(message.text)
        return await super().send(client, account, message)


@pytest.fixture
def channel(monkeypatch: pytest.MonkeyPatch) -> ManyBots:
    many = ManyBots()
    monkeypatch.setitem(CHANNELS, "console", many)
    return many


@pytest.fixture
def make_bots(turns_db: None, channel: ManyBots, settings: Any) -> Callable[..., list[ActiveBot]]:
    """Make a German, a Spanish and an English bot."""
    settings.REDIS_URL = None
    settings.RATE_LIMIT_PER_USER = 100

    def make(**fields: Any) -> list[ActiveBot]:
        return [BotFactory.active(slug=slug, language=language, **fields) for slug, language in LANGUAGES.items()]

    return make


def write(bots: list[ActiveBot], text: str = "Hello", address: str = ALICE, key: str = "1") -> None:
    for bot in bots:
        accept.accept(bot, [event(f"{key}-{bot.slug}", address=address, text=text)])


def down_together(parties: int) -> Callable[[Any], Any]:
    """A step of a model that fails only when so many turns ask it at the same time."""
    barrier = asyncio.Barrier(parties)

    async def step(request: Any) -> str:
        async with asyncio.timeout(10):
            await barrier.wait()
        raise AppError(ErrorCode.OPENAI_API_ERROR, "down", retryable=True)

    return step


def test_a_stranger_is_refused_in_the_language_of_the_bot(make_bots: Any, channel: ManyBots) -> None:
    write(make_bots(), address=STRANGER)
    work_until()
    assert channel.by_bot == {
        "laden": ["Hallo! Ich antworte nur Personen, die eingeladen wurden. Bitte wenden Sie sich an den Inhaber."],
        "tienda": ["¡Hola! Solo respondo a personas invitadas. Pida acceso al propietario, por favor."],
        "shop": ["Hello! I only answer people who were invited. Please ask the owner for access."],
    }


def test_who_is_over_the_limit_is_told_how_many_seconds_to_wait(make_bots: Any, channel: ManyBots) -> None:
    whitelisted()
    bots = make_bots(rate_limit_per_minute=1)
    write(bots, "/whoami")
    write(bots, "/whoami", key="2")
    work_until()
    patterns = {
        "laden": r"Sie haben die Nachrichtengrenze erreicht\. Bitte warten Sie \d\d Sekunden\.",
        "tienda": r"Ha alcanzado el límite de mensajes\. Espere \d\d segundos, por favor\.",
        "shop": r"You've reached the message limit\. Please wait \d\d seconds\.",
    }
    for slug, pattern in patterns.items():
        _allowed, said = channel.by_bot[slug]
        assert re.fullmatch(pattern, said), said


@pytest.mark.parametrize(
    ("language", "one", "more"),
    [
        ("de", "Bitte warten Sie 1 Sekunde.", "Bitte warten Sie 2 Sekunden."),
        ("es", "Espere 1 segundo, por favor.", "Espere 2 segundos, por favor."),
    ],
)
def test_one_second_is_no_plural(language: str, one: str, more: str) -> None:
    with translation.override(language):
        said = [AppError(ErrorCode.RATE_LIMIT_EXCEEDED, params={"seconds": seconds}).sentence for seconds in (1, 2)]
    assert said[0].endswith(one) and said[1].endswith(more)


def test_a_model_that_is_down_is_said_in_each_language_at_the_same_time(make_bots: Any, channel: ManyBots) -> None:
    whitelisted()
    model = ScriptedModel()
    model.answer("Hello", down_together(len(LANGUAGES)))
    write(make_bots())
    work_until(model=model)
    assert channel.by_bot == {
        "laden": ["Ich erreiche meinen KI-Dienst gerade nicht. Bitte versuchen Sie es gleich noch einmal."],
        "tienda": ["Tengo problemas para conectar con mi servicio de IA. Inténtelo de nuevo en un momento, por favor."],
        "shop": ["I'm having trouble connecting to my AI service. Please try again in a moment."],
    }


def test_a_budget_that_is_used_up(make_bots: Any, channel: ManyBots, settings: Any) -> None:
    settings.LLM_PROVIDER = "openai"  # (the demo model costs nothing)
    whitelisted()
    write(make_bots(daily_budget_micros=0))
    work_until()
    assert channel.by_bot == {
        "laden": ["Heute kann ich nicht mehr antworten. Bitte versuchen Sie es morgen wieder."],
        "tienda": ["Hoy ya no puedo responder más. Inténtelo de nuevo mañana, por favor."],
        "shop": ["I can't answer any more today. Please try again tomorrow."],
    }


def test_commands_answer_in_the_language_of_the_bot(make_bots: Any, channel: ManyBots) -> None:
    whitelisted(name="Alice")
    bots = make_bots()
    for key, text in enumerate(["/help", "/hlep", "/whoami", "/reset", "/usage"]):
        write(bots, text, key=str(key))
    work_until()
    german, spanish = ("\n".join(channel.by_bot[slug]) for slug in ("laden", "tienda"))
    for said in (
        "Schreiben Sie mir, und ich antworte.",
        "/help – was ich kann",
        "/model [NAME] – welches Modell Ihnen antwortet",
        "/hlep kenne ich nicht. Meinten Sie /help?",
        "Rolle: Nutzer",
        "Ich habe unsere Unterhaltung vergessen",
        "Heute: 0 Antworten, 0 Token,",
    ):
        assert said in german
    for said in (
        "Escríbame y le respondo.",
        "/help – qué puedo hacer",
        "No conozco /hlep. ¿Quería decir /help?",
        "Rol: Usuario",
        "He olvidado nuestra conversación",
        "Hoy: 0 respuestas, 0 tokens,",
    ):
        assert said in spanish
    assert "I don't know /hlep." in "\n".join(channel.by_bot["shop"])


def test_what_staff_are_told_of_people_is_in_the_language_of_the_bot(make_bots: Any, channel: ManyBots) -> None:
    whitelisted(role=Role.OWNER)
    bots = make_bots()
    for key, text in enumerate(["/allow 49abc", "/allow +1234", "/users"]):
        write(bots, text, key=str(key))
    work_until()
    german = "\n".join(channel.by_bot["laden"])
    assert "Eine Telefonnummer enthält keine Buchstaben. Bitte mit Landesvorwahl schreiben" in german
    assert "2 Personen können mir schreiben." in german
    assert "Das sieht aber nicht nach einer Nummer aus, die es gibt." in german
    assert "2 personas pueden escribirme." in "\n".join(channel.by_bot["tienda"])


def test_the_demo_model_speaks_as_its_bot_does(make_bots: Any, channel: ManyBots) -> None:
    whitelisted()
    write(make_bots())
    work_until(model=DemoModel())
    assert {slug: texts[0].split("“")[0].split("„")[0].split("«")[0] for slug, texts in channel.by_bot.items()} == {
        "laden": "Demo-Modell: Sie haben ",
        "tienda": "Modelo de demostración: usted escribió ",
        "shop": "Demo model: you said ",
    }


def test_a_turn_that_is_given_up_ends_with_a_sentence_in_its_language(make_bots: Any, channel: ManyBots) -> None:
    whitelisted()
    write(make_bots())
    InboundMessage.objects.update(attempts=MOST_ATTEMPTS)
    work_until()
    assert channel.by_bot["laden"] == ["Bei mir ist etwas schiefgegangen. Bitte versuchen Sie es gleich noch einmal."]
    assert channel.by_bot["tienda"][0].startswith("Algo ha salido mal por mi parte.")
    assert channel.by_bot["shop"][0].startswith("Something went wrong on my side.")


def test_no_language_leaks_into_another_turn(make_bots: Any, channel: ManyBots) -> None:
    """Many turns of all bots are under way at once, and take turns in the event loop and in the database thread."""
    bots = make_bots()
    model = ScriptedModel()
    model.answer("fail", down_together(SEVERAL * len(bots)))
    for number in range(SEVERAL):
        address = f"+49151000000{number:02}"
        whitelisted(address)
        write(bots, "/help", address, key=f"help-{number}")
        write(bots, "fail", address, key=f"fail-{number}")
    work_until(worker=Worker(100, model_factory=lambda: model), seconds=30)
    signs = {"laden": ("gleich noch einmal", "was ich kann"), "tienda": ("en un momento", "qué puedo hacer")}
    signs["shop"] = ("in a moment", "what I can do")
    for slug, of_bot in signs.items():
        assert len(channel.by_bot[slug]) == 2 * SEVERAL
        assert all(any(sign in text for sign in of_bot) for text in channel.by_bot[slug]), channel.by_bot[slug]
    assert translation.get_language() == "en"


def test_a_bot_without_a_language_speaks_the_installations(make_bots: Any, channel: ManyBots, settings: Any) -> None:
    settings.LANGUAGE_CODE = "es"
    write(make_bots(), address=STRANGER)
    work_until()
    assert channel.by_bot["shop"][0].startswith("¡Hola!")
    assert channel.by_bot["laden"][0].startswith("Hallo!")


# --- notices ---


def owner_who_wrote_to(bot: ActiveBot, address: str = ALICE) -> User:
    """Return an owner whose last message to any bot was to this one, and answered."""
    owner = whitelisted(address, role=Role.OWNER)
    accept.accept(bot, [event(f"by-owner-{address}", address=address, text="Hello", sent_at=timezone.now())])
    work_until()
    return owner


def test_a_pause_is_told_in_the_language_of_the_bot_that_tells_it(make_bots: Any, channel: ManyBots) -> None:
    german, spanish, _english = make_bots()
    owner_who_wrote_to(spanish)
    owner_who_wrote_to(german, "+4915100000099")
    paused = BotFactory.active(slug="paused", language="de")
    channel.by_bot.clear()
    whitelisted("+4915100000001")
    accept.accept(paused, [event("to-paused", address="+4915100000001")])
    channel.enqueue(SendError("190", credentials_refused=True))

    work_until(lambda: {"laden", "tienda"} <= channel.by_bot.keys())

    assert channel.by_bot["tienda"][0].startswith("El bot paused está en pausa: su proveedor rechaza el token")
    assert channel.by_bot["laden"][0].startswith("Der Bot paused pausiert: Sein Anbieter lehnt das Zugriffstoken ab.")


def test_a_budget_alert_is_told_in_the_language_of_the_bot_that_tells_it(
    make_bots: Any, channel: ManyBots, settings: Any
) -> None:
    settings.DAILY_BUDGET_MICROS = 1_000_000
    german, _spanish, _english = make_bots()
    owner_who_wrote_to(german)
    channel.by_bot.clear()
    DailySpend.objects.update_or_create(user=None, bot="", day=today(), defaults={"spent_micros": 600_000})

    assert raise_alerts() == 1
    work_until()

    assert channel.by_bot == {"laden": ["50 % des heutigen Budgets von $1.00 sind verbraucht ($0.60)."]}
