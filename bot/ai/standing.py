"""Why a model's server refuses every call until an operator acts: the key, the model's name, the address, the money.

Pure functions, from what a server answered to one of four words; servers differ in how they say it.
"""

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from bot.errors import AppError, ErrorCode


class Refusal(StrEnum):
    """What is refused. The words are stored behind a colon in rows' error codes, so they never change."""

    KEY = "key_refused"
    MODEL = "model_unknown"
    ADDRESS = "address_wrong"
    MONEY = "no_credit"


# What a turn is stored with that ended so, before the colon.
CODES = {
    Refusal.KEY: ErrorCode.CONFIGURATION_ERROR,
    Refusal.MODEL: ErrorCode.CONFIGURATION_ERROR,
    Refusal.ADDRESS: ErrorCode.CONFIGURATION_ERROR,
    Refusal.MONEY: ErrorCode.OPENAI_API_ERROR,
}
MODEL_CODES = frozenset(
    {"model_not_found", "DeploymentNotFound", "model_not_available", "unknown_model", "model_decommissioned"}
)
ADDRESS_CODES = frozenset({"unknown_url", "invalid_url"})
MONEY_CODES = frozenset(
    {"insufficient_quota", "insufficient_balance", "insufficient_credits", "exceeded_current_quota_error"}
)
# The name under which an error's context says it.
STANDING = "standing_refusal"
PAYMENT_REQUIRED = 402
# A column for error codes has room for 100 characters.
CODE_LENGTH = 100


def refusal_of(status: int, error: Mapping[str, Any] | None) -> Refusal | None:
    """Return what an answer refuses until an operator acts; None: it is about this one call, or passes by itself.

    error: the answer's error object, None where it has none. Only its code and type count, and of a 404, which servers
    give to a wrong address as well as to an unknown model, whether its message speaks of a model.
    """
    said = error or {}
    codes = {code for code in (said.get("code"), said.get("type")) if isinstance(code, str)}
    if is_out_of_money(said) or status == PAYMENT_REQUIRED:
        return Refusal.MONEY
    if codes & MODEL_CODES:
        return Refusal.MODEL
    if status in {401, 403}:
        return Refusal.KEY
    if status == 404:
        message = str(said.get("message", "")).lower()
        # (OpenRouter's "No endpoints found for" is of a model.)
        names_model = not codes & ADDRESS_CODES and ("model" in message or "no endpoints found" in message)
        return Refusal.MODEL if names_model else Refusal.ADDRESS
    return Refusal.ADDRESS if 300 <= status < 400 else None


def error_of(raw: bytes) -> dict[str, Any]:
    """Return the error object of a refusal, empty when there is none."""
    body = json_of(raw)
    error = body.get("error") if isinstance(body, dict) else None
    return error if isinstance(error, dict) else {}


def json_of(raw: bytes) -> Any:
    """Return what a body says as JSON; None where it is none."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def is_out_of_money(error: Mapping[str, Any]) -> bool:
    """Return whether an error object says that the account's credit or quota is used up, or that it is not billed."""
    codes = [code for code in (error.get("code"), error.get("type")) if isinstance(code, str)]
    return any(code in MONEY_CODES or code.startswith("billing") for code in codes)


def standing_error(refusal: Refusal, status: int, context: dict[str, Any]) -> AppError:
    """Return the failure of a call that is refused so; context is the call's, and gets the refusal."""
    detail = "the model API refuses the key, the model or the address that is configured"
    if refusal is Refusal.MONEY:
        detail = f"the model API answered with HTTP {status}: the account has no credit"
    return AppError(CODES[refusal], detail, context={**context, STANDING: str(refusal)})


def row_code(error: AppError, model: str) -> str:
    """Return what is stored of a failed turn: its code, and what the model's server refuses, with an unknown name."""
    refusal = error.context.get(STANDING)
    if refusal is None:
        return str(error.code)
    return refusal_code(Refusal(refusal), model)


def refusal_code(refusal: Refusal, model: str = "") -> str:
    """Return the error code that rows have of a refusal; of an unknown model with its name, as far as there is room."""
    code = f"{CODES[refusal]}:{refusal}"
    return f"{code}:{model}"[:CODE_LENGTH] if refusal is Refusal.MODEL else code
