"""People: who they are, how they come in, how channels name them, and what is kept of those who are gone."""

from users.models.access import Identity, Invite, InviteQuerySet
from users.models.audit import AuditEntry
from users.models.lookups import Pair
from users.models.numbers import CANONICAL_NUMBER, validate_phone_number
from users.models.person import User, keep_an_owner
from users.models.tombstones import Tombstone
from users.roles import Role

__all__ = [
    "CANONICAL_NUMBER",
    "AuditEntry",
    "Identity",
    "Invite",
    "InviteQuerySet",
    "Pair",
    "Role",
    "Tombstone",
    "User",
    "keep_an_owner",
    "validate_phone_number",
]
