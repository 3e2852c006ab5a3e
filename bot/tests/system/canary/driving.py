"""Push the canaries through every path of a running system, failures included, and collect what came out."""

import base64
import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any
from urllib.parse import quote, urlencode

from bot.tests.support.factories import signature, whatsapp_body, whatsapp_message, whatsapp_value
from bot.tests.support.processes import System, wait_for
from bot.tests.system.canary.apps import CRASH, ROW, TELLS_ALL, UNSEEN, WEB_CRASH, WEB_ROW
from bot.tests.system.canary.sentry_server import SentryServer
from bot.tests.system.canary.values import ADDED, BSUID, COLLEAGUE, NUMBER, SECRETS, STRANGER, WORDS
from bot.tests.system.faults.binaries import free_port

TEXT = WORDS["text"]
WEBHOOK = "/webhooks/whatsapp/shop/"

PREPARE = f"""
from bot.models import Bot
from users.models import User
bot = Bot.objects.get(slug="shop")
bot.system_prompt = {WORDS["prompt"]!r}
bot.credentials = {{"app_secret": {SECRETS["app secret"]!r}, "access_token": {SECRETS["access token"]!r},
    "verify_token": {SECRETS["verify token"]!r}}}
bot.save()
User.objects.create_superuser({NUMBER!r}, {SECRETS["admin password"]!r}, is_whitelisted=True, name="Zebedee")
User.objects.create_user({COLLEAGUE!r}, is_whitelisted=True)
"""
RUN_TASKS = """
from django_q.tasks import async_task
for task in ("bot.operations.schedules.purge", "bot.operations.schedules.every_minute"):
    async_task(task)
"""
SHOW_TASKS = """
from django_q.models import OrmQ, Schedule, Task
for model in (OrmQ, Schedule, Task):
    for row in model.objects.all():
        print({name: str(value) for name, value in vars(row).items()})
        if model is OrmQ:
            print(row.task)
"""


def production(sentry: SentryServer) -> dict[str, str]:
    """Return the environment of a production that holds the canaries. (Its Redis is down.)"""
    return {
        "ENVIRONMENT": "production",
        "DJANGO_SETTINGS_MODULE": "bot.tests.system.canary.settings",
        "SECRET_KEY": SECRETS["secret key"],
        "ALLOWED_HOSTS": "parley.example.org",
        "PUBLIC_URL": "https://parley.example.org",
        "ALLOW_SQLITE": "true",
        "REDIS_URL": f"redis://:{SECRETS['redis password']}@127.0.0.1:{free_port()}/0",
        "OPENAI_API_KEY": SECRETS["api key"],
        "MODEL_DEADLINE_SECONDS": "3",
        "LOG_LEVEL": "DEBUG",
        "SENTRY_DSN": sentry.dsn,
    }


@dataclass
class Canaries:
    """A running system, and everything that was said about the canaries outside of it."""

    system: System
    sentry: SentryServer
    answers: list[bytes] = field(default_factory=list)
    printed: list[str] = field(default_factory=list)
    processes: list["subprocess.Popen[bytes]"] = field(default_factory=list)
    cookies: dict[str, str] = field(default_factory=dict)
    _number: int = 0

    def run(self) -> None:
        """Do everything, and stop the processes."""
        self.printed.append(self.system.manage("shell", "--verbosity", "0", "--command", PREPARE))
        self.printed.append(self.system.manage("shell", "--verbosity", "0", "--command", RUN_TASKS))
        self.processes.append(self.system.start_web())
        self.processes.append(self.system.start_pages())
        self.processes.append(self.system.start_worker(PARLEY_HURRY="send=2"))
        self.processes.append(self.system.start_scheduler())
        self.webhooks()
        self.turns()
        self.model_errors()
        self.channel_errors()
        self.strangers()
        self.admin()
        self.health()
        self.wait_for_lines("task_failed", 1)
        self.wait_for_lines("minute_task_failed", 1)
        wait_for(lambda: self.count("django_q_task") > 0, "the failed task has its row")
        self.printed.append(self.system.manage("shell", "--verbosity", "0", "--command", SHOW_TASKS))
        self.system.stop()

    # --- the ways in ---

    def webhooks(self) -> None:
        """Deliver what is refused, malformed, hostile, or meets a bug or a database that refuses it."""
        good = whatsapp_body(self.value(self.message("never stored")))
        digits = NUMBER[1:]
        assert self.post(good, "sha256=" + "0" * 64) == 403
        assert self.post(b'{"text": "' + TEXT.encode() + NUMBER.encode()) == 400
        assert self.post(good[:-1] + b', "again": ' + b"[" * 50_000) == 400
        hostile = [{"from": NUMBER, "type": [TEXT]}, {"from": TEXT, "type": "text", "text": {"body": NUMBER}}, NUMBER]
        assert self.post(whatsapp_body(self.value(*hostile))) == 200
        assert self.post(good, content_type=f"text/{TEXT}; charset={digits}") == 200
        assert self.post(whatsapp_body(self.value(self.message(WEB_CRASH)))) == 500
        assert self.post(whatsapp_body(self.value(self.message(WEB_ROW)))) == 503
        assert self.get(f"/webhooks/whatsapp/{digits}/?text={TEXT}") == 403
        assert self.get(f"/webhooks/{TEXT}/x/y/{digits}") == 404
        token = {"hub.mode": "subscribe", "hub.challenge": digits, "hub.verify_token": SECRETS["verify token"]}
        assert self.get(f"{WEBHOOK}?{urlencode(token)}", keep=False) == 200
        assert self.get(f"{WEBHOOK}?{urlencode({**token, 'hub.verify_token': TEXT})}") == 403
        assert self.request("PROPFIND", f"{WEBHOOK}?{digits}") == 405

    def turns(self) -> None:
        """Have good turns, commands, and turns that meet every kind of bug."""
        self.system.model.script([{"for": "a good question", "text": f"An answer: {WORDS['reply']}"}])
        message = self.message("a good question")
        self.deliver(message)
        self.wait_for_reply(WORDS["reply"])
        assert self.post(whatsapp_body(self.value(message))) == 200
        for command in (f"/allow {ADDED} Zebedee Quillfeather", "/users Zebedee", f"/join {WORDS['invite code']}"):
            self.ask(command)
        self.ask(f"/{TEXT} {ADDED}")
        for words in (TELLS_ALL, UNSEEN):
            self.ask(words)
        self.deliver(self.message(CRASH))
        self.wait_for_lines("turn_crashed", 1)
        self.deliver(self.message(ROW, BSUID))
        self.wait_for_lines("turn_crashed", 2)
        # (They would be tried again and again.)
        self.system.rows("UPDATE bot_inboundmessage SET state = 'dead' WHERE state = 'pending'")

    def model_errors(self) -> None:
        """Let the model fail in every way, quoting what it was sent."""
        quoted = f"{SECRETS['api key']} {WORDS['prompt']} {TEXT} {NUMBER}"
        refused = {"error": {"message": f"Incorrect API key provided: {quoted}", "code": "invalid_api_key"}}
        broken = {"error": {"message": f"cannot read {quoted}", "type": quoted, "code": quoted}}
        scripts: dict[str, list[dict[str, Any]]] = {
            "model 401": [{"status": 401, "json": refused}],
            "model 400": [{"status": 400, "json": broken}],
            "model garbage": [{"raw": f"<html>{quoted}"}],
            "model none": [{"json": {"choices": [], "error": broken["error"]}}],
            "model empty": [{"text": " "}],
            "model 500": [{"status": 500, "json": broken, "headers": {"x-request-id": quoted}}] * 3,
            "model reset": [{"reset": True}] * 3,
            "model hangs": [{"hang": True}] * 3,
            "model open": [],
        }
        # (The failures of one chat alone are no outage.)
        others = {"model reset": ADDED, "model hangs": COLLEAGUE}
        for name, behaviours in scripts.items():
            self.system.model.script([{**behaviour, "for": name} for behaviour in behaviours])
            self.ask(name, others.get(name, NUMBER))

    def channel_errors(self) -> None:
        """Let the channel's API fail in every way, quoting what it was sent."""
        self.wait_until_the_model_is_asked_again()
        quoted = f"{NUMBER} {NUMBER[1:]} {TEXT} {SECRETS['access token']}"
        for name, status, code in (("retry", 500, 2), ("not there", 400, 131026), ("unknown", 418, 7)):
            error = {"error": {"message": quoted, "code": code, "error_data": {"details": quoted}}}
            self.system.whatsapp.script([{"for": f"channel {name}", "status": status, "json": error}])
        self.system.whatsapp.script([{"for": "channel html", "status": 502, "raw": quoted}])
        self.system.whatsapp.script([{"for": "channel lost", "reset": True}])
        for name in ("retry", "not there", "unknown", "html", "lost"):
            self.deliver(self.message(f"channel {name}"))
            self.wait_for_rest()
        failed = {"code": 131026, "title": quoted, "message": quoted, "error_data": {"details": quoted}}
        lost = next(body for body in self.system.sends() if "channel lost" in body["text"]["body"])
        for word, errors in (("delivered", []), ("failed", [failed]), ("sent", [])):
            item = {"id": f"wamid.{TEXT}", "status": word, "recipient_id": NUMBER[1:], "errors": errors}
            told = {**item, "biz_opaque_callback_data": lost["biz_opaque_callback_data"]}
            assert self.post(whatsapp_body(whatsapp_value(statuses=[told]))) == 200

    def strangers(self) -> None:
        """Have people write who are not allowed; then let the provider refuse the bot's token."""
        self.deliver(self.message("let me in", STRANGER))
        self.deliver(self.message("let me in as well", BSUID))
        self.wait_for_rest()
        error = {"error": {"message": f"Invalid token {SECRETS['access token']} of {NUMBER}", "code": 190}}
        self.system.whatsapp.script([{"for": "the token", "status": 401, "json": error}])
        self.deliver(self.message("about the token"))
        self.wait_for_lines("bot_paused", 1)

    def admin(self) -> None:
        """Sign in, wrongly and rightly, and search for people."""
        login = f"/admin/login/?next=/admin/users/user/{NUMBER[1:]}/"
        assert self.get(login) == 200
        for username, password in ((NUMBER, TEXT), (TEXT, NUMBER), (NUMBER, SECRETS["admin password"])):
            form = {"username": username, "password": password, "next": f"/admin/?q={NUMBER[1:]}"}
            form["csrfmiddlewaretoken"] = self.cookies["__Host-csrftoken"]
            answer = self.request("POST", login, urlencode(form).encode(), referer=True)
            assert answer == (302 if password == SECRETS["admin password"] else 200)
        assert self.get(f"/admin/users/user/?q={NUMBER[1:]}", keep=False) == 200
        assert self.get(f"/admin/users/user/?q={quote(NUMBER)}", keep=False) == 200
        assert self.get(f"/admin/users/user/{NUMBER[1:]}/change/", keep=False) in (302, 404)
        assert self.get(f"/{NUMBER[1:]}/{TEXT}?{NUMBER}", keep=False) == 404
        form = {"username": NUMBER, "csrfmiddlewaretoken": TEXT}
        assert self.request("POST", login, urlencode(form).encode(), cookies=f"__Host-csrftoken={TEXT}") == 403
        assert self.request("GET", "/admin/", host=f"{NUMBER[1:]}.{TEXT}.example") == 400

    def health(self) -> None:
        """Ask how everything is."""
        for path in ("/healthz", "/readyz", f"/readyz?{NUMBER}={TEXT}", "/metrics"):
            self.get(path)

    # --- helpers ---

    def message(self, text: str, sender: str = NUMBER) -> dict[str, Any]:
        """Return a message of a person, with an id of WhatsApp's form: it holds their number in base64."""
        self._number += 1
        by_number = sender.startswith("+")
        whose = {"from": sender[1:]} if by_number else {"from_user_id": sender}
        message = {**whatsapp_message(f"{text}: {TEXT}", id=wamid(sender, self._number)), "from": "", **whose}
        if text.startswith("/"):
            message["text"] = {"body": text}
        return message

    def value(self, *messages: Any) -> dict[str, Any]:
        """Return what a webhook says of messages, with the profile name of whoever wrote them."""
        profile = {"name": WORDS["profile name"]}
        contacts = [{"wa_id": number[1:], "profile": profile} for number in (NUMBER, STRANGER)]
        contacts.append({"user_id": BSUID, "profile": profile})
        return whatsapp_value(messages=list(messages), contacts=contacts)

    def deliver(self, message: dict[str, Any]) -> None:
        """Deliver a message."""
        assert self.post(whatsapp_body(self.value(message))) == 200

    def ask(self, text: str, sender: str = NUMBER) -> None:
        """Deliver a message and wait until its turn is over."""
        self.deliver(self.message(text, sender))
        self.wait_for_rest()

    def post(self, body: bytes, signed: str = "", content_type: str = "application/json") -> int:
        """Deliver a webhook, signed as it should be unless said otherwise."""
        given = signed or signature(body, SECRETS["app secret"])
        headers = {"Content-Type": content_type, "X-Hub-Signature-256": given, "User-Agent": TEXT}
        return self._request("POST", WEBHOOK, body, headers)

    def get(self, path: str, *, keep: bool = True) -> int:
        """GET a path. keep: the answer is for everybody, and must hold no canary."""
        return self.request("GET", path, keep=keep and not path.startswith("/admin"))

    def request(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        host: str = "",
        referer: bool = False,
        cookies: str = "",
        keep: bool = False,
    ) -> int:
        """Ask as a browser behind the proxy does."""
        sent = cookies or "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {"Host": host or "parley.example.org", "X-Forwarded-Proto": "https", "Cookie": sent}
        headers |= {"Content-Type": "application/x-www-form-urlencoded", "Authorization": f"Bearer {WORDS['cookie']}"}
        if referer:
            headers["Referer"] = "https://parley.example.org/admin/login/"
        return self._request(method, path, body, headers, keep=keep)

    def _request(self, method: str, path: str, body: bytes, headers: dict[str, str], *, keep: bool = True) -> int:
        connection = HTTPConnection("127.0.0.1", self.system.port, timeout=30)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        for header in answer.headers.get_all("Set-Cookie") or ():
            name, _, rest = header.partition("=")
            self.cookies[name] = rest.partition(";")[0]
        if keep:
            self.answers.append(content)
        return answer.status

    def count(self, table: str) -> int:
        """Return how many rows a table has."""
        return int(self.system.rows(f"SELECT count(*) FROM {table}")[0][0])  # noqa: S608

    def wait_for_rest(self) -> None:
        """Wait until nothing is pending that could be worked on now."""

        def at_rest() -> bool:
            waiting = "SELECT count(*) FROM bot_inboundmessage WHERE state = 'pending'"
            return self.system.rows(waiting)[0][0] == 0

        wait_for(at_rest, "every message has come to its end")

    def wait_for_reply(self, words: str) -> None:
        """Wait until the channel was asked to send these words."""
        wait_for(lambda: any(words in send["text"]["body"] for send in self.system.sends()), f"{words!r} is sent")

    def wait_until_the_model_is_asked_again(self) -> None:
        """Wait until the circuit breaker lets a message pass again."""

        def answered() -> bool:
            self.ask("are you there")
            return any("are you there" in send["text"]["body"] for send in self.system.sends())

        wait_for(pausing(answered, 2), "the model is asked again")

    def wait_for_lines(self, event: str, times: int) -> None:
        """Wait until the processes have logged an event so often."""
        wait_for(lambda: len(self.lines(event)) >= times, f"{event} is logged {times} times")

    def lines(self, event: str = "") -> list[dict[str, Any]]:
        """Return the log lines of all processes, or those of an event. (One that is being written is left out.)"""
        logs = [self.system.log_of(process) for process in self.processes]
        lines = [json.loads(line) for log in logs for line in log.split("\n")[:-1]]
        return [line for line in lines if not event or line["event"] == event]


def pausing(condition: Callable[[], bool], seconds: float) -> Callable[[], bool]:
    """Return condition with a pause after each time it does not hold."""

    def held() -> bool:
        if condition():
            return True
        time.sleep(seconds)
        return False

    return held


def wamid(sender: str, number: int) -> str:
    """Return an id of a message as WhatsApp makes it: its bytes hold the person's number as digits."""
    content = b"\x1c\x18\x0c" + sender.lstrip("+").encode() + b"\x15\x02\x00\x12" + f"{number:016}".encode()
    return f"wamid.{base64.b64encode(content).decode()}"
