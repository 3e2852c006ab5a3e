"""The admin as an app that django.setup() hardly pays for: its pages are loaded where pages are served or checked."""

from typing import Any

from django.apps import AppConfig
from django.contrib.admin import autodiscover
from django.contrib.admin.apps import SimpleAdminConfig
from django.contrib.admin.checks import check_admin_app, check_dependencies
from django.core import checks


class Admin(SimpleAdminConfig):
    """Django's admin, without looking for pages at once: config/urls.py does, and so do the system checks.

    Workers, the scheduler and what receives webhooks have its tables and no page.
    """

    default_site = "unfold.sites.UnfoldAdminSite"

    def ready(self) -> None:
        """Register the admin's checks."""
        checks.register(check_dependencies, checks.Tags.admin)
        checks.register(check_pages, checks.Tags.admin)


class Unfold(AppConfig):
    """The templates and static files of django-unfold. Its own config would create its admin site at once."""

    name = "unfold"


def check_pages(**kwargs: Any) -> list[checks.CheckMessage]:
    """Find every page of the admin, and check them."""
    autodiscover()
    found: list[checks.CheckMessage] = check_admin_app(**kwargs)
    return found
