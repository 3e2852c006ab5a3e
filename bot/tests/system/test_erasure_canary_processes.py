"""G23, with real processes: who asks to be forgotten is told goodbye once, and then is nowhere; late or not."""

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import environ
import pytest
from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import ConnectionHandler

from bot.tests.support.processes import PROJECT, System, own_database, running_system, wait_for
from bot.tests.system.canary.sentry_server import SentryServer
from bot.tests.system.erasure import places
from bot.tests.system.erasure.driving import PREPARE, Life, production, somebody
from bot.tests.system.erasure.places import Found

pytestmark = pytest.mark.processes

# What the stand-ins were sent is not ours to erase; the database has a search of its own; git's and Python's files.
NOT_KEPT = ("model.jsonl", "whatsapp.jsonl", "system.sqlite3*", "*.pyc", ".git/**/*", ".pytest_cache/**/*")


@dataclass
class Search:
    """Where to look: everything a system of its own keeps."""

    system: System
    sentry: SentryServer
    life: Life
    connection: BaseDatabaseWrapper
    began: float

    def tables(self) -> set[Found]:
        return places.in_tables(self.connection, self.life.canaries.search())

    def redis(self) -> set[Found]:
        url = settings.REDIS_URL
        return places.in_redis(url, self.life.canaries.search()) if url else set()

    def files(self) -> set[Found]:
        """Logs, temporary files and all that was written beneath the working directory meanwhile."""
        search = self.life.canaries.search()
        folder = places.in_files(self.system.folder, search, leave_out=NOT_KEPT)
        return folder | places.in_files(PROJECT, search, leave_out=NOT_KEPT, since=self.began)

    def reports(self) -> set[str]:
        search = self.life.canaries.search()
        return {what for envelope in self.sentry.envelopes for what in search.find(envelope)}


@pytest.fixture
def search(tmp_path: Path, django_db_blocker: pytest.FixtureRequest) -> Iterator[Search]:
    began = time.time()
    (tmp_path / "temporary").mkdir()
    # (Its own, because it has a SECRET_KEY of its own.)
    with SentryServer() as sentry, own_database(tmp_path) as url:
        environment = production(sentry, str(tmp_path / "temporary"), settings.REDIS_URL)
        with running_system(tmp_path, url, environment) as system:
            connection = ConnectionHandler({"default": environ.Env.db_url_config(url)})["default"]
            with django_db_blocker.unblock(), closing(connection):  # type: ignore[attr-defined]
                yield Search(system, sentry, Life(system, somebody()), connection, began)


def test_who_is_forgotten_is_nowhere_and_what_comes_late_brings_nothing_back(search: Search) -> None:
    system, life = search.system, search.life
    system.manage("shell", "--verbosity", "0", "--command", PREPARE)
    system.start_web()
    system.start_worker()
    system.start_scheduler()
    life.is_let_in()
    life.writes()
    assert "word" in life.canaries.search().find(life.exports())
    life.meets_failures()
    life.is_being_answered()
    kept = search.tables()
    tables = {one.place for one in kept}
    assert tables >= {
        *("users_user", "users_identity", "conversations_message", "bot_inboundmessage", "bot_outboundmessage"),
        "bot_lease",
    }
    assert {one.what for one in kept} == set(life.canaries.search().values)
    assert {one.what for one in places.in_files(system.folder, life.canaries.search())} == {one.what for one in kept}
    spent = system.rows("SELECT sum(spent_micros) FROM usage_dailyspend WHERE user_id IS NULL AND bot = ''")

    life.is_forgotten()
    calls = sum(request["billed"] is not None for request in system.model.requests())
    wait_for(lambda: life.count("usage_usagerecord") == calls, "the turn that was cut off is paid for")
    life.rest()
    sends = life.said()
    life.is_delivered_again()
    life.somebody_else_writes("and now to something else")
    life.rest()

    assert sorted(search.tables()) == []
    assert sorted(search.redis()) == []
    assert sorted(search.files()) == []
    assert search.reports() == set()
    assert life.said() == sends
    assert len(life.farewells()) == 1
    assert life.count("users_user", "name = 'Olivia'") == 1
    assert life.count("users_auditentry", "action = 'erased'") == 1
    assert life.count("usage_usagerecord", "user_id IS NULL") > 5
    after = system.rows("SELECT sum(spent_micros) FROM usage_dailyspend WHERE user_id IS NULL AND bot = ''")
    assert after[0][0] > spent[0][0] > 0

    life.a_second_passes()
    life.deliver(life.message(life.canaries.say("may I come in again?")))
    wait_for(lambda: life.count("bot_accessrequest") == 1, "they are somebody who asks for access")
    wait_for(lambda: len(life.said()) == len(sends) + 1, "they are told so")
    assert life.count("users_user", "name <> 'Olivia' AND name <> ''") == 0


def test_the_command_leaves_nothing_either(search: Search) -> None:
    system, life = search.system, search.life
    system.manage("shell", "--verbosity", "0", "--command", PREPARE)
    web, worker = system.start_web(), system.start_worker()
    life.is_let_in()
    life.writes()
    assert search.tables()
    system.manage("forget", life.canaries.other_spelling, "--yes")
    life.is_delivered_again()
    life.somebody_else_writes("and now to something else")
    life.rest()
    for process in (web, worker):
        process.terminate()
        process.wait(30)
    assert sorted(search.tables() | search.redis() | search.files()) == []
    assert search.reports() == set()
    if search.connection.vendor == "sqlite" and places.overwrites_what_it_deletes(search.connection):
        assert places.in_sqlite_file(search.connection, life.canaries.search()) == set()
