"""Sign people in, and let the admin ask the table of permissions instead of rows that somebody filled in by hand."""

import logging
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from users.login.throttle import Attempt, LoginThrottled, attempt_of
from users.models import User
from users.permissions import django_permissions

logger = logging.getLogger(__name__)


class RoleBackend(ModelBackend):
    """Permissions follow from the role. Django's groups and permissions of single people count for nothing.

    Every way to sign in leads through here, so this is where failures are counted.
    """

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        """Return the person with this phone number and password, or None.

        Raises:
            LoginThrottled: too many attempts failed; whether this one is right was not looked at.
        """
        username = kwargs.get(User.USERNAME_FIELD) if username is None else username
        if username is None or password is None:
            return None
        attempt = attempt_of(request, username)
        if not attempt.begin():
            logger.warning("login_throttled", extra=_ids(attempt))
            raise LoginThrottled
        try:
            user = super().authenticate(request, username=username, password=password)
        except Exception:
            attempt.came_to_nothing()
            raise
        if not isinstance(user, User):
            logger.warning("login_failed", extra=_ids(attempt))
            return None
        attempt.succeeded()
        return user

    async def aauthenticate(self, request: HttpRequest | None, *args: Any, **kwargs: Any) -> User | None:
        """Do what authenticate() does: the base class's own would not count."""
        return await sync_to_async(self.authenticate)(request, *args, **kwargs)

    def get_user_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """Return what the person's role allows, as "app.action_model"; there are none for single objects."""
        if not isinstance(user_obj, User) or obj is not None or not user_obj.is_active:
            return set()
        return set(django_permissions(user_obj.role))

    def get_group_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """Return nothing: groups are not used."""
        return set()


def _ids(attempt: Attempt) -> dict[str, str]:
    return {"account": attempt.account, "client": attempt.client}
