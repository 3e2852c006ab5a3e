"""Make invites in the admin."""

import re
from datetime import timedelta
from typing import Any

from django.urls import reverse
from django.utils import timezone

from users.models import Invite


def page_of(invite: Invite) -> str:
    return reverse("admin:users_invite_change", args=(invite.pk,))


def form(**changes: Any) -> dict[str, Any]:
    expires = timezone.localtime() + timedelta(days=2)
    dates = {"expires_at_0": f"{expires:%Y-%m-%d}", "expires_at_1": f"{expires:%H:%M:%S}"}
    return {"person": "", "note": "front desk", "max_uses": "1", **dates, **changes}


def code_on(response: Any) -> str:
    found = re.search(r"/join (\w{12})<", response.content.decode())
    assert found is not None
    return found[1]


def errors(response: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = response.context["adminform"].form.errors
    return found
