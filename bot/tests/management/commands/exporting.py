"""Export from the terminal."""

import io

from django.core.management import call_command


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("export", *arguments, stdout=out)
    return out.getvalue()
