"""Trace messages."""

from io import StringIO

from django.core.management import call_command


def traced(external_id: str, *options: str) -> str:
    out = StringIO()
    call_command("trace", external_id, *options, stdout=out)
    return out.getvalue()
