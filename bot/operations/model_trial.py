"""Trial of a bot's model for operators: whether it answers, and which models will be shut down."""

from django.conf import settings
from django.utils.formats import date_format
from django.utils.translation import gettext

from bot.ai.standing import STANDING, row_code
from bot.channels.connection import CheckError
from bot.errors import AppError
from bot.models import Bot
from bot.operations.model_check import ModelList, ask_model, list_models
from bot.operations.model_refusals import models_of
from bot.reasons import reason_of
from bot.worker.billing import record_test
from usage.days import today


def try_model(bot: Bot) -> tuple[str, list[CheckError], list[str]]:
    """Ask a bot's own model for one word; return a sentence that it answers, problems, and announced shutdowns.

    The demo model is not asked. The call is billed to the budgets of the bot and of everybody.
    """
    if settings.LLM_PROVIDER != "openai":
        return "", [], []
    name = models_of(bot)[0]
    try:
        call = ask_model(name, bot.reasoning_effort)
    except AppError as error:
        return "", [_problem(error, name)], endings(list_models(), models_of(bot))
    record_test(call, bot.slug)
    said = gettext("The model %(model)s answers.") % {"model": name}
    return said, [], endings(list_models(), models_of(bot))


def endings(listed: ModelList, names: tuple[str, ...]) -> list[str]:
    """Return sentences about the shutdown dates of these models that the server announces."""
    sentence = gettext("The model %(model)s is switched off on %(day)s: choose another one before that.")
    return [sentence % {"model": name, "day": date_format(day)} for name, day in listed.ending(names, today())]


def _problem(error: AppError, model: str) -> CheckError:
    code = row_code(error, model)
    status, provider_code = error.context.get("status"), str(error.context.get("code") or "")
    told = f"http_{status}" if status and not provider_code else provider_code
    sentence = str(reason_of(code) or code)
    if STANDING not in error.context:
        sentence = gettext("The model %(model)s did not answer (%(why)s).") % {"model": model, "why": told or code}
    request_id = str(error.context.get("provider_request_id") or "")
    return CheckError(
        error.context.get(STANDING, "model_failed"), sentence, error_code=told, provider_request_id=request_id
    )
