"""Fail to sign in."""

from django.http import HttpResponse


def said(response: HttpResponse) -> str:
    """Return what the login page complains about, empty when it lets in."""
    if response.status_code == 302:
        return ""
    return " ".join(response.context["form"].non_field_errors())  # type: ignore[attr-defined]
