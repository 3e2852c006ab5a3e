"""What each role may do by a command in a chat, also to whom; the simulator gives the weaker rights of the two."""

from dataclasses import dataclass

# Who writes, in a chat; the later, the more they may.
WRITERS = ("stranger", "user", "admin", "owner")


@dataclass(frozen=True)
class Said:
    """A message, and for whom it does what it is for: yes or no for stranger, user, admin, owner.

    {target}: the number of whom it names: a new one, or somebody of this role or state. shows: what the reply holds
    where it is answered; changes: what is another after it where it is carried out. trace: what the audit log then
    says. private: in another's name it is for owners only, whatever the person may.
    """

    text: str
    done: str
    shows: str = ""
    target: str = ""
    changes: str = ""
    trace: str = ""
    private: bool = False

    def is_for(self, writer: str) -> bool:
        """Return whether it is carried out for a role."""
        return self.done.split()[WRITERS.index(writer)] == "yes"

    @property
    def name(self) -> str:
        """Return what the row is called."""
        return f"{self.text} ({self.target})" if self.target else self.text


PEOPLE, STAFF, OWNER, ALL, NONE = "no yes yes yes", "no no yes yes", "no no no yes", "yes yes yes yes", "no no no no"
SAID = [
    Said("/help", PEOPLE, shows="I also know these commands"),
    Said("/start", PEOPLE, shows="I also know these commands"),
    Said("/reset", PEOPLE, changes="memory"),
    Said("/usage", PEOPLE, shows="Last 30 days"),
    Said("/model", PEOPLE, shows="Models of this bot"),
    Said("/model large", PEOPLE, changes="choice"),
    Said("/whoami", PEOPLE, shows="Role:"),
    Said("/privacy", ALL, shows="What I keep of you"),
    Said("/export", ALL, shows="everything that is held about you", private=True),
    Said("/forget", ALL, shows="cannot be undone", private=True),
    Said("/forget {forget}", PEOPLE, changes="sender", private=True),
    # A code lets in who is not in; one that an admin made for an owner lets in nobody.
    Said("/join {code}", "yes no no no", changes="sender"),
    Said("/join {owners}", NONE, changes="sender"),
    Said("/start {owners}", NONE, changes="sender"),
    Said("/allow", STAFF, shows="Sven Waits"),
    Said("/allow {target} Nils", STAFF, target="new", changes="target", trace="allowed"),
    Said("/allow {target}", STAFF, target="blocked", changes="target", trace="allowed"),
    Said("/allow {target}", OWNER, target="blocked admin", changes="target", trace="allowed"),
    Said("/allow {target}", OWNER, target="blocked owner", changes="target", trace="allowed"),
    Said("/allow #{request}", STAFF, target="new", changes="target", trace="allowed"),
    Said("/allow #{request}", OWNER, target="blocked admin", changes="target", trace="allowed"),
    Said("/deny {target}", STAFF, target="user", changes="target", trace="blocked"),
    Said("/deny {target}", OWNER, target="admin", changes="target", trace="blocked"),
    Said("/deny {target}", OWNER, target="owner", changes="target", trace="blocked"),
    Said("/deny #{request}", STAFF, target="new", changes="request"),
    Said("/users", STAFF, shows="Uwe Listed"),
    Said("/users Uwe", STAFF, shows="Uwe Listed"),
    Said("/spend", STAFF, shows="Last 30 days"),
]
