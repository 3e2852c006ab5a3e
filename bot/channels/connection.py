"""What a channel needs to reach its provider, and what came of asking the provider who we are."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.utils.functional import Promise


@dataclass(frozen=True, slots=True)
class Credential:
    """One secret a channel needs: its key in Account.credentials, and how an operator finds it.

    made_up: it is found nowhere, the operator invents it and tells the provider; the admin suggests one at random.
    """

    name: str
    label: str | Promise
    help: str | Promise
    made_up: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """The part of a bot an adapter may know: its slug, the provider's id of the account, and its credentials.

    `echo_keys` sign the ids of messages that the provider echoes (bot/channels/echo.py): the first signs, former ones
    are still understood. Without any, no id is sent along and none is read.
    """

    bot: str
    account_id: str = ""
    credentials: Mapping[str, str] = field(default_factory=dict, repr=False)
    echo_keys: tuple[bytes, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Connection:
    """Whom the provider takes us for.

    `sentence` tells an operator, in the language of who asked; `contact` is what people write to, spelled as the
    provider does (empty where it has no such thing).
    """

    sentence: str = field(repr=False)
    contact: str = field(default="", repr=False)


class CheckError(Exception):
    """The provider does not take us for the account, or could not be asked.

    code: a short word of ours, for the log.
    sentence: what is wrong and what to do, for an operator. Holds no secret and nothing that the provider wrote.
    error_code: the provider's own code, where it said one, or what happened to the request.
    provider_request_id: what the provider's support finds the refusal by, where it says so.
    """

    # (config/logs/tracebacks.py: logs and error reports may show it.)
    text_is_safe = True

    def __init__(self, code: str, sentence: str, *, error_code: str = "", provider_request_id: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.sentence = sentence
        self.error_code = error_code
        self.provider_request_id = provider_request_id
