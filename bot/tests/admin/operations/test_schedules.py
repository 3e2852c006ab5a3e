"""What runs by itself, in the admin: to look at and to run at once, and no way to run anything else."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ, Schedule

from bot.monitoring import heartbeats
from bot.operations.schedules import KNOWN, ensure_schedules, missing_schedules
from bot.tests.admin.operations.tasks import a_task, pk_of, rows, text_of
from users.roles import Role
from users.tests.factories import alice, bob

pytestmark = pytest.mark.django_db

LIST = "/admin/django_q/schedule/"
EVIL = {
    "name": "evil", "func": "os.system", "args": "'id > /tmp/owned'", "hook": "os.system", "schedule_type": "O",
    "repeats": "-1", "next_run_0": "2020-01-01", "next_run_1": "00:00:00", "_save": "Save",
}  # fmt: skip


@pytest.fixture(autouse=True)
def schedules() -> None:
    ensure_schedules()


@pytest.fixture
def owner() -> Client:
    client = Client()
    client.force_login(alice())
    return client


@pytest.fixture
def scheduler() -> None:
    heartbeats.beat(heartbeats.Kind.SCHEDULER, "here:1")


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """Note what is queued: django-q2's own broker would be Redis where there is one."""
    found: list[tuple[Any, ...]] = []
    monkeypatch.setattr("bot.operations.schedules.async_task", lambda *args, **options: found.append((*args, options)))
    return found


def test_an_owner_enters_no_name_of_a_function_anywhere(owner: Client) -> None:
    task, before = a_task(), rows()
    row = pk_of("purge")
    posts = [
        (f"{LIST}add/", EVIL),
        (f"{LIST}{row}/change/", EVIL),
        (f"{LIST}{row}/delete/", {"post": "yes"}),
        (f"/admin/django_q/failure/{task.pk}/change/", EVIL),
        (f"/admin/django_q/failure/{task.pk}/delete/", {"post": "yes"}),
        ("/admin/django_q/failure/add/", EVIL),
        ("/admin/django_q/success/add/", EVIL),
    ]
    assert {url: owner.post(url, data).status_code for url, data in posts} == {url: 403 for url, _ in posts}
    assert rows() == before
    for url in (f"{LIST}add/", f"{LIST}{row}/delete/"):
        assert owner.get(url).status_code == 403
    page = text_of(owner, f"{LIST}{row}/change/")
    assert 'name="func"' not in page and 'name="_save"' not in page


def test_the_list_says_in_words_what_runs_when_and_how_it_ended(owner: Client) -> None:
    Schedule.objects.filter(name=KNOWN["watch"].name).update(task="some-id")
    page = text_of(owner, LIST)
    for words in ("Delete what has expired", "every minute", "without an error", "has not run yet", "Run now"):
        assert words in page, words
    assert "bot.operations.schedules" not in page
    a_task(result="TaskFailed: not purged: chats : Traceback (most recent call last): secret")
    page = text_of(owner, LIST)
    assert "not purged: chats" in page and "secret" not in page
    assert "Deletes conversations" in text_of(owner, f"{LIST}{pk_of('purge')}/change/")


def test_an_owner_runs_a_schedule_at_once(owner: Client, scheduler: None, queued: list[Any]) -> None:
    response = owner.post(reverse("admin:django_q_schedule_run", args=("purge",)), follow=True)

    assert queued == [("bot.operations.schedules.purge", {"group": "purge expired data"})]
    assert "was started" in response.content.decode()
    assert LogEntry.objects.get().object_id == str(pk_of("purge"))


def test_the_button_really_queues_the_task(owner: Client, scheduler: None, settings: Any) -> None:
    from django_q.conf import Conf

    if not Conf.ORM:
        pytest.skip("Redis carries the tasks here")
    owner.post(reverse("admin:django_q_schedule_run", args=("purge",)))
    assert [waiting.task["func"] for waiting in OrmQ.objects.all()] == ["bot.operations.schedules.purge"]


def test_only_a_key_of_ours_is_run(owner: Client, scheduler: None, queued: list[Any]) -> None:
    evil = Schedule.objects.create(name="evil", func="os.system", args="'id'", schedule_type="O", repeats=0)
    for key in ("evil", str(evil.pk), "os-system", "nothing"):
        data = {"func": "os.system", "key": "purge", "name": "evil"}
        assert owner.post(f"{LIST}run/{key}/", data).status_code == 404, key
    for key in ("os.system", "bot.operations.schedules.purge"):
        owner.post(f"{LIST}run/{key}/", data, follow=True)
    assert queued == []


def test_without_a_scheduler_nothing_is_queued_and_the_page_says_so(owner: Client, queued: list[Any]) -> None:
    response = owner.post(reverse("admin:django_q_schedule_run", args=("purge",)), follow=True)
    assert queued == []
    assert "Nothing was started: no scheduler is running." in response.content.decode()
    assert "No scheduler is running: nothing here happens." in response.content.decode()


def test_who_may_not_manage_schedules_runs_none(scheduler: None, queued: list[Any]) -> None:
    url = reverse("admin:django_q_schedule_run", args=("purge",))
    client, strict = Client(), Client(enforce_csrf_checks=True)
    client.force_login(bob(role=Role.ADMIN))
    strict.force_login(alice())
    assert client.post(url).status_code == 403
    assert strict.post(url).status_code == 403, "another site's form"
    assert strict.get(url).status_code == 405
    assert queued == []


@pytest.mark.parametrize(
    "fields", [{"func": "os.system"}, {"args": "'id'"}, {"kwargs": "a='id'"}, {"hook": "os.system"}, {"name": "evil"}]
)
def test_a_row_that_somebody_wrote_is_shown_as_not_ours(owner: Client, fields: dict[str, str]) -> None:
    Schedule.objects.filter(pk=pk_of("purge")).update(**fields)
    page = text_of(owner, LIST)
    assert "not Parley&#x27;s" in page
    assert page.count("Run now") == 1


def test_a_schedule_of_ours_that_was_changed_calls_what_it_should_after_bootstrap() -> None:
    when = timezone.now()
    Schedule.objects.filter(pk=pk_of("purge")).update(func="os.system", args="'id'", hook="os.system", next_run=when)
    ensure_schedules()
    row = Schedule.objects.get(pk=pk_of("purge"))
    assert (row.func, row.args, row.hook) == ("bot.operations.schedules.purge", None, None)
    assert row.next_run == when, "its time is the operator's"
    assert missing_schedules() == set()
