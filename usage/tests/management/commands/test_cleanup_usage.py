"""manage.py cleanup_usage: delete old usage records."""

from datetime import timedelta

import pytest
from django.core.management import CommandError

from usage.tests.old_records import records, run

pytestmark = [pytest.mark.database, pytest.mark.django_db]


def test_the_command_says_in_one_line_what_it_deleted():
    records(timedelta(days=31), timedelta(days=400))
    assert run("--days", "30", "--dry-run") == "Would delete 2 usage records older than 30 days.\n"
    assert run() == "Deleted 1 usage records older than 365 days.\n"  # USAGE_RETENTION_DAYS
    assert run("--days", "30") == "Deleted 1 usage records older than 30 days.\n"


@pytest.mark.parametrize("days", ["soon", "1.5", ""])
def test_what_is_no_number_of_days_is_a_clear_error(days):
    with pytest.raises(CommandError, match="--days"):
        run("--days", days)
