"""The demo model: answers at once, without a key, a network or a cost, and says what it is."""

from django.utils.translation import gettext as _

from bot.ai.base import Completion, CompletionRequest, LanguageModel
from bot.ai.tokens import estimate_prompt_tokens, estimate_tokens

MODEL = "demo"
LONGEST_QUOTE = 200


class DemoModel(LanguageModel):
    """Repeats what was said. Its first answer in a conversation tells how to connect a real model."""

    async def complete(self, request: CompletionRequest) -> Completion:
        """Return the echo; token counts are estimates."""
        said = [message.content for message in request.messages if message.role == "user"]
        text = _("Demo model: you said “%(said)s”.") % {"said": quote(said[-1] if said else "")}
        if not any(message.role == "assistant" for message in request.messages):
            text += " " + _("To talk to a real model, set OPENAI_API_KEY (or OPENAI_BASE_URL) and start again.")
        return Completion(
            text=text,
            model=MODEL,
            input_tokens=estimate_prompt_tokens(request.messages),
            output_tokens=estimate_tokens(text),
        )


def quote(text: str) -> str:
    """Return text on one line, shortened to a length that is pleasant to read."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_QUOTE else line[:LONGEST_QUOTE].rstrip() + "…"
