"""There is always an owner: whoever would be the last one to leave is kept."""

from collections.abc import Collection

from django.utils.translation import gettext as _

from users.roles import Role


class LastOwner(ValueError):
    """Nobody would be left who may do everything. The text is for the person who tried."""


def keep_an_owner(leaving: Collection[int]) -> None:
    """Refuse that these people (primary keys) stop being owners when nobody else is one. Part of a transaction.

    All owners are locked: two who remove each other at the same moment would otherwise both find the other one left.

    Raises:
        LastOwner: no owner would be left.
    """
    from users.models import User

    owners = set(User.objects.select_for_update().filter(role=Role.OWNER).order_by("pk").values_list("pk", flat=True))
    if owners.intersection(leaving) and not owners.difference(leaving):
        raise LastOwner(_("This is the last owner. Make somebody else an owner first."))
