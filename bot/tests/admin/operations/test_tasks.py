"""Tasks in the admin are looked at, and say nothing of what they were given."""

import pytest
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ

from bot.operations.schedules import ensure_schedules
from bot.tests.admin.operations.tasks import a_task, pk_of, rows, text_of
from users.tests.factories import alice

pytestmark = pytest.mark.django_db

TABLES = ("schedule", "success", "failure", "ormq")


@pytest.fixture(autouse=True)
def schedules() -> None:
    ensure_schedules()


@pytest.fixture
def owner() -> Client:
    client = Client()
    client.force_login(alice())
    return client


@pytest.mark.parametrize("action", ["resubmit_task", "delete_selected", "run", "retry"])
@pytest.mark.parametrize("table", TABLES)
def test_no_action_of_a_list_runs_or_deletes_a_row(owner: Client, table: str, action: str) -> None:
    task = a_task(success=table == "success", func="os.system")
    OrmQ.objects.create(key="parley", payload="x", lock=timezone.now())
    before = rows()
    ids = {"schedule": pk_of("purge"), "ormq": OrmQ.objects.get().pk}
    owner.post(
        f"/admin/django_q/{table}/",
        {"action": action, "_selected_action": str(ids.get(table, task.pk)), "index": "0", "post": "yes"},
    )
    assert rows() == before


def test_what_a_task_was_given_or_a_strangers_task_said_is_shown_nowhere(owner: Client) -> None:
    a_task(func="somebody.elses", result="spoke to +491701234567")
    for url in ("/admin/django_q/failure/", "/admin/django_q/failure/t/change/"):
        page = text_of(owner, url)
        assert "withheld" in page and "not Parley&#x27;s" in page
        assert "491701234567" not in page
