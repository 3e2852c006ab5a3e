"""People: who they are, how they come in, how channels name them, and what is kept of those who are gone."""

from users.models.access import Identity, Invite
from users.models.person import CANONICAL_NUMBER, User, validate_phone_number
from users.models.privacy import AuditEntry, Tombstone
from users.roles import Role

__all__ = [
    "CANONICAL_NUMBER",
    "AuditEntry",
    "Identity",
    "Invite",
    "Role",
    "Tombstone",
    "User",
    "validate_phone_number",
]
