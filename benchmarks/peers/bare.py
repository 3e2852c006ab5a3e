"""The bare Django peer: one view without middleware that checks the signature, parses, inserts one row and answers."""

import hashlib
import hmac
import json

from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path

from benchmarks.payloads import APP_SECRET, WEBHOOK_PATH

SECRET = APP_SECRET.encode()
INSERT = (
    "INSERT INTO peer_inbound (bot_id, external_id, address, payload) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING"
)


def receive(request: HttpRequest) -> HttpResponse:
    """Store the message of one webhook."""
    body = request.body
    expected = "sha256=" + hmac.digest(SECRET, body, hashlib.sha256).hex()
    if not hmac.compare_digest(expected, request.headers.get("X-Hub-Signature-256", "")):
        return HttpResponse(status=403)
    message = json.loads(body)["entry"][0]["changes"][0]["value"]["messages"][0]
    with connection.cursor() as cursor:
        cursor.execute(INSERT, [1, message["id"], message["from"], json.dumps(message["text"])])
    return HttpResponse(b'{"status":"ok"}', content_type="application/json")


urlpatterns = [path(WEBHOOK_PATH.removeprefix("/"), receive)]
application = get_wsgi_application()
