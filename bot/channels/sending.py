"""What a channel is given to send, and the error of a send that was not accepted."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class OutboundText:
    """One text to send: `id` is our own, to be echoed in statuses; `text` fits the channel's limit.

    With a filename it is a document whose content is the text, and `upload_id` is what upload() returned for it.
    """

    id: int
    address: str
    text: str = field(repr=False)
    filename: str = ""
    upload_id: str = ""


class SendError(Exception):
    """A send that was not accepted.

    retryable: trying the same again later can help (throttling, outage, refused connection).
    uncertain: the request went out and no answer came: it may or may not have been sent. Never retried blindly.
    retry_after: seconds the provider asks us to wait, where it does.
    credentials_refused: the bot's token is missing or no longer valid (or its account id is missing): nothing it sends
        will be accepted, so it pauses.
    account_refused: the provider takes nothing from the bot's account, whatever the token (it is locked, unpaid, not
        registered, lacks a permission): the bot pauses as well.
    code: the provider's error code, or a short word of ours. Never holds a number, a text or a token.
    provider_request_id: what the provider's support finds the refusal by, where it says so.
    """

    # (config/logs/tracebacks.py: logs and error reports may show it.)
    text_is_safe = True

    def __init__(
        self,
        code: str,
        *,
        retryable: bool = False,
        uncertain: bool = False,
        retry_after: float | None = None,
        credentials_refused: bool = False,
        account_refused: bool = False,
        provider_request_id: str = "",
    ) -> None:
        super().__init__(code)
        self.code = code
        self.retryable = retryable
        self.uncertain = uncertain
        self.retry_after = retry_after
        self.credentials_refused = credentials_refused
        self.account_refused = account_refused
        self.provider_request_id = provider_request_id
