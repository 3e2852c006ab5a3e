"""Run manage.py bootstrap."""

from io import StringIO

from django.core.management import call_command


def bootstrap(*options: str) -> str:
    out = StringIO()
    call_command("bootstrap", *options, stdout=out)
    return out.getvalue()
