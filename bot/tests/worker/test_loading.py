"""What claimed turns need is loaded by one query for all of them."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bot.models import ModelChoice
from bot.queue import accept
from bot.queue.snapshot import ActiveBot
from bot.tests.support.factories import BOB, BotFactory, event, whitelisted
from bot.tests.support.fakes import ScriptedChannel
from bot.worker import claims
from users.models import User

OWN, LARGE, LOCAL = "gpt-6-luna", "GPT-6-Sol", "llama-5-8b"


@pytest.fixture
def choosy(channel: ScriptedChannel, turns_db: None) -> ActiveBot:
    return BotFactory.active(slug="choosy", model=OWN, allowed_models=f"{LARGE}\n{LOCAL}\n{OWN}\n")


def test_choices_are_loaded_with_one_query_a_claim_and_none_where_no_bot_leaves_a_choice(
    alice: User, bot: ActiveBot, choosy: ActiveBot
) -> None:
    def claimed() -> tuple[list[str], int]:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            turns = claims.claim("worker", 10)
        claims.release("worker", turns)
        mine = [query for query in queries if ModelChoice._meta.db_table in query["sql"]]
        return sorted(turn.model for turn in turns), len(mine)

    accept.accept(bot, [event("m1"), event("m2", address=BOB)])
    ModelChoice.objects.create(bot_id=choosy.id, user=alice, model=LARGE)
    ModelChoice.objects.create(bot_id=choosy.id, user=whitelisted(BOB), model=LOCAL)
    assert claimed() == ([OWN, OWN], 0)

    accept.accept(choosy, [event("m3"), event("m4", address=BOB)])
    assert claimed() == (sorted([LARGE, LOCAL, OWN, OWN]), 1)
