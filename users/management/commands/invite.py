"""Make, list and revoke invites: `manage.py invite`."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from config.desk.ids import read_id
from users.invite_codes import read_code
from users.invites import LIFETIME, create_invite
from users.models import Invite, User

MOST_DAYS = 3_650


class Command(BaseCommand):
    """Invites from the command line."""

    help = "Makes, lists and revokes invites: codes that let whoever sends them (/join CODE) talk to the bots."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what can be done, and its options."""
        actions = parser.add_subparsers(dest="action", required=True)
        create = actions.add_parser(
            "create", help="Make an invite and print its code, once: only a hash of it is kept."
        )
        create.add_argument("--person", metavar="NUMBER", help="Who the sender becomes. Without: somebody new.")
        create.add_argument("--uses", type=int, default=1, help="How often it lets somebody in (1).")
        create.add_argument("--days", type=int, default=LIFETIME.days, help=f"How long it is good ({LIFETIME.days}).")
        create.add_argument("--note", default="", help="What staff read beside it.")
        actions.add_parser("list", help="List the invites, the newest first.")
        revoke = actions.add_parser("revoke", help="End an invite before its time.")
        revoke.add_argument("invite", metavar="NUMBER|CODE", help="Its number in the list, or its code.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it and say what came of it."""
        {"create": self._create, "list": self._list, "revoke": self._revoke}[options["action"]](options)

    def _create(self, options: dict[str, Any]) -> None:
        if not 1 <= options["days"] <= MOST_DAYS:
            raise CommandError(f"--days must be from 1 to {MOST_DAYS:,}.")
        person = None
        if options["person"] is not None:
            person = User.objects.find_by_phone_number(options["person"])
            if person is None:
                raise CommandError("Nobody has that phone number. Without --person whoever uses the code is new.")
        expires_at = timezone.now() + timedelta(days=options["days"])
        try:
            invite = create_invite(person=person, note=options["note"], max_uses=options["uses"], expires_at=expires_at)
        except ValidationError as error:
            problems = (f"{name}: {' '.join(texts)}" for name, texts in error.message_dict.items())
            raise CommandError("; ".join(problems)) from None
        self.stdout.write(f"/join {invite.code}")
        self.stdout.write("This is the only time that the code is shown: only a hash of it is kept.")
        self.stdout.write(
            f"Invite {invite.pk}, good until {timezone.localtime(expires_at):%Y-%m-%d %H:%M}, uses: {invite.max_uses}."
        )

    def _list(self, options: dict[str, Any]) -> None:
        for invite in Invite.objects.select_related("person").order_by("-pk").iterator():
            until = timezone.localtime(invite.expires_at)
            words = (
                str(invite.pk),
                str(invite.state.value),
                f"{invite.uses}/{invite.max_uses}",
                f"{until:%Y-%m-%d %H:%M}",
                str(invite.person or "anybody"),
                invite.note,
            )
            self.stdout.write("  ".join(filter(None, words)))

    def _revoke(self, options: dict[str, Any]) -> None:
        invite = _find(options["invite"])
        if invite is None:
            raise CommandError("There is no such invite. manage.py invite list shows those there are.")
        if not Invite.objects.filter(pk=invite.pk).revoke(timezone.now()):
            raise CommandError("This invite has ended already.")
        self.stdout.write("Revoked. Who came in by it stays in.")


def _find(name: str) -> Invite | None:
    """Return the invite with a code or a number. A code may consist of digits, so that it comes first."""
    invite = Invite.objects.with_code(read_code(name)).first()
    number = read_id(name)
    return invite if invite or number is None else Invite.objects.filter(pk=number).first()
