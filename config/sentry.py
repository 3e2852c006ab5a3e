"""Error reports to Sentry, without anything a person wrote and without any secret."""

from typing import TYPE_CHECKING, Any, cast

from config.redaction import redact_mapping

if TYPE_CHECKING:
    from sentry_sdk.transport import Transport

OFF = {"mode": "off"}

# Every key is given: the SDK collects whatever is left out.
DATA_COLLECTION: dict[str, Any] = {
    "user_info": False,
    "cookies": OFF,
    "http_headers": {"request": OFF},
    "http_bodies": [],
    "url_query_params": OFF,
    "graphql": {"document": False, "variables": False},
    "gen_ai": {"inputs": False, "outputs": False},
    "database_query_data": False,
    "queues": False,
    "stack_frame_variables": False,
    # Source lines hold literals, and a test's or a shell's literals can be anybody's number.
    "frame_context_lines": 0,
}


def scrub(event: Any, hint: Any) -> Any:
    """Return a copy of an event, transaction or breadcrumb with everything sensitive masked, at every level."""
    return redact_mapping(event)


def init_sentry(dsn: str, environment: str, release: str = "", transport: "type[Transport] | None" = None) -> None:
    """Report errors to the Sentry project of dsn, as of the given environment and release."""
    # Imported here: a process that reports nowhere need not pay for it.
    import sentry_sdk
    from sentry_sdk.integrations.django import DjangoIntegration
    from sentry_sdk.integrations.logging import LoggingIntegration, ignore_logger

    sentry_sdk.init(
        dsn=dsn,
        environment=environment,
        release=release or None,
        transport=transport,
        # Automatic integrations import what they find, openai for one: 40 MB in processes that never use it.
        auto_enabling_integrations=False,
        integrations=[DjangoIntegration(), LoggingIntegration()],
        data_collection=cast(Any, DATA_COLLECTION),
        max_request_body_size="never",
        before_send=scrub,
        before_send_transaction=scrub,
        before_breadcrumb=scrub,
    )
    # It reports a failed task as the text of its exception; our tasks capture the exception themselves.
    ignore_logger("django-q")
