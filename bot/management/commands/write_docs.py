"""Write the parts of the documentation that follow from declarations in the code: `manage.py write_docs`."""

from typing import Any

from django.core.management.base import BaseCommand

from bot.operations import privacy_tables, reference


class Command(BaseCommand):
    """Write .env.example and the generated tables of docs/configuration.md and docs/privacy.md."""

    help = __doc__ or ""
    requires_system_checks = ()

    def handle(self, **options: Any) -> None:
        """Write them."""
        reference.write()
        privacy_tables.write()
