"""Upload a list of people, and confirm its preview."""

from django.contrib.messages import get_messages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

IMPORT = reverse("admin:users_user_import")
APPLY = reverse("admin:users_user_import_apply")


def upload(client, content, **extra):
    data = content if isinstance(content, bytes) else content.encode()
    return client.post(IMPORT, {"file": SimpleUploadedFile("people.csv", data, "text/csv")}, **extra)


def confirm(client, preview):
    return client.post(APPLY, {"people": preview.context["kept"]})


def texts(response):
    return [str(message) for message in get_messages(response.wsgi_request)]
