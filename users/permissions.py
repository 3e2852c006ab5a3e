"""Who may do what: one table for chat commands and for the admin alike. Nobody is given a permission by hand."""

from enum import StrEnum

from users.roles import HasRole, Role


class Permission(StrEnum):
    """What a role may allow. Talking to a bot is none of them: that is what the whitelist is for."""

    SEE_PEOPLE = "see people"
    MANAGE_PEOPLE = "manage people"
    MANAGE_ADDRESSES = "manage addresses"
    MANAGE_STAFF = "manage staff"
    DELETE_PEOPLE = "delete people"
    EXPORT_PEOPLE = "export people"
    SEE_AUDIT = "see the audit log"
    SEE_SPENDING = "see spending"
    MANAGE_PRICES = "manage prices"
    SEE_MESSAGES = "see messages"
    MANAGE_MESSAGES = "manage messages"
    SEE_CONVERSATIONS = "see conversations"
    SEE_BOTS = "see bots"
    RESUME_BOTS = "resume bots"
    MANAGE_BOTS = "manage bots"
    MANAGE_SCHEDULES = "manage schedules"


ROLE_PERMISSIONS: dict[str, frozenset[Permission]] = {
    Role.OWNER: frozenset(Permission),
    Role.ADMIN: frozenset(
        {
            Permission.SEE_PEOPLE,
            Permission.MANAGE_PEOPLE,
            Permission.SEE_SPENDING,
            Permission.SEE_MESSAGES,
            Permission.MANAGE_MESSAGES,
            Permission.SEE_BOTS,
            Permission.RESUME_BOTS,
        }
    ),
    Role.USER: frozenset(),
}

# What each permission means in the admin, in Django's own names.
DJANGO_PERMISSIONS: dict[Permission, tuple[str, ...]] = {
    Permission.SEE_PEOPLE: (
        "users.view_user",
        "users.view_identity",
        "users.view_invite",
        "bot.view_accessrequest",
        "bot.view_modelchoice",
    ),
    Permission.MANAGE_PEOPLE: (
        "users.add_user",
        "users.change_user",
        "users.add_invite",
        "users.change_invite",
        "bot.change_accessrequest",
        "bot.delete_accessrequest",
    ),
    # By which addresses people are known. Phone numbers are a field of a person, which the form guards.
    Permission.MANAGE_ADDRESSES: ("users.add_identity", "users.change_identity", "users.delete_identity"),
    # Roles are fields of a person, which the form guards.
    Permission.MANAGE_STAFF: (),
    Permission.DELETE_PEOPLE: ("users.delete_user", "users.delete_invite"),
    # An action of the list: everything that is held about one person.
    Permission.EXPORT_PEOPLE: (),
    Permission.SEE_AUDIT: ("users.view_auditentry",),
    Permission.SEE_SPENDING: ("usage.view_usagerecord", "usage.view_dailyspend", "usage.view_modelprice"),
    Permission.MANAGE_PRICES: ("usage.add_modelprice", "usage.change_modelprice", "usage.delete_modelprice"),
    Permission.SEE_MESSAGES: ("bot.view_inboundmessage", "bot.view_outboundmessage", "bot.view_lease"),
    Permission.MANAGE_MESSAGES: ("bot.change_inboundmessage", "bot.change_outboundmessage"),
    Permission.SEE_CONVERSATIONS: ("conversations.view_conversation", "conversations.view_message"),
    Permission.SEE_BOTS: ("bot.view_bot",),
    # Actions of the list, not the form. Who may let a bot go on may also pause it.
    Permission.RESUME_BOTS: (),
    Permission.MANAGE_BOTS: ("bot.add_bot", "bot.change_bot", "bot.delete_bot"),
    # Running one at once is a button. What they call is nothing that anybody enters.
    Permission.MANAGE_SCHEDULES: (
        "django_q.view_schedule",
        "django_q.view_success",
        "django_q.view_failure",
        "django_q.view_ormq",
    ),
}


def may(user: HasRole | None, permission: Permission) -> bool:
    """Return whether somebody's role allows it; nobody may do nothing."""
    return user is not None and permission in ROLE_PERMISSIONS.get(user.role, frozenset())


def may_touch(staff: HasRole, person: HasRole) -> bool:
    """Return whether a member of staff may allow, block or change a person: other staff are for who manages staff."""
    return person.role == Role.USER or person == staff or may(staff, Permission.MANAGE_STAFF)


def django_permissions(role: str) -> frozenset[str]:
    """Return what a role may do in the admin, as "app.action_model"."""
    allowed = ROLE_PERMISSIONS[Role(role)]
    return frozenset(name for permission in allowed for name in DJANGO_PERMISSIONS[permission])
