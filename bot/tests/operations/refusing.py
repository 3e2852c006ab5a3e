"""A model's server that refuses, and where it is told."""

from typing import Any

from django.core.checks import run_checks

from bot.admin.dashboard.sections import build
from users.permissions import ROLE_PERMISSIONS
from users.roles import Role

OWNER = ROLE_PERMISSIONS[Role.OWNER]
LUNA = "gpt-6-luna"


def refusal(status: int, code: str | None = None, kind: str = "invalid_request_error", message: str = "No.") -> Any:
    return {"status": status, "json": {"error": {"message": message, "type": kind, "code": code}}}


REFUSED = [
    ("a wrong key", refusal(401, "invalid_api_key"), "OPENAI_API_KEY"),
    ("a key without rights", refusal(403, "forbidden"), "OPENAI_API_KEY"),
    ("a key, without words", {"status": 401, "raw": "no"}, "OPENAI_API_KEY"),
    ("no such model", refusal(404, "model_not_found"), LUNA),
    ("no such model, as Ollama says it", refusal(404, None, message="model 'gpt-6-luna' not found"), LUNA),
    ("no such deployment", refusal(404, "DeploymentNotFound"), LUNA),
    ("a model that the key may not use", refusal(403, "model_not_found"), LUNA),
    ("no address", refusal(404, "unknown_url", message="Unknown request URL of the model API"), "OPENAI_BASE_URL"),
    ("a page of a web server", {"status": 404, "raw": "<html>"}, "OPENAI_BASE_URL"),
    ("the quota", refusal(429, "insufficient_quota", "insufficient_quota"), "billing settings"),
    ("payment", refusal(402, None), "billing settings"),
    ("a limit of the bill", refusal(400, "billing_hard_limit_reached"), "billing settings"),
    ("no active bill", refusal(429, None, "billing_not_active"), "billing settings"),
]


def checked() -> dict[str, str]:
    found = run_checks(include_deployment_checks=True, databases=["default"])
    return {str(message.id): message.msg for message in found if str(message.id).startswith("parley.")}


def todos() -> list[tuple[str, str]]:
    page = build(OWNER)
    about_system = ("No worker", "No scheduler")
    return [(one.tone, one.text) for one in page.todos or [] if not one.text.startswith(about_system)]
