"""Records of long ago."""

import io
from datetime import UTC, datetime

from django.core.management import call_command

from usage.tests.factories import UsageRecordFactory


def records(*ages):
    return [UsageRecordFactory.create(user=None, created_at=datetime.now(UTC) - age) for age in ages]


def run(*arguments):
    out = io.StringIO()
    call_command("cleanup_usage", *arguments, stdout=out)
    return out.getvalue()
