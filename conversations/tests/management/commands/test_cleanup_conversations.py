"""manage.py cleanup_conversations: delete what has expired."""

import io

import pytest
from django.core.management import call_command

from conversations.tests.expired import expired_conversation

pytestmark = [pytest.mark.database, pytest.mark.django_db]


def run(*arguments):
    out = io.StringIO()
    call_command("cleanup_conversations", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_says_in_one_line_what_it_deleted():
    expired_conversation(3)
    assert run("--dry-run") == "Would delete 3 messages of 1 expired conversations.\n"
    assert run() == "Deleted 3 messages of 1 expired conversations.\n"
    assert run() == "Deleted 0 messages of 0 expired conversations.\n"
