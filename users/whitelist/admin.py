"""Import and export of people in the admin: a file is previewed, and applied when that is confirmed.

Between the two pages the people are kept in the database (users/whitelist/kept.py). What takes too long for a page
is for the command.
"""

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from users.models import User
from users.whitelist.applying import ImportFailed, ImportRefused, apply_people
from users.whitelist.columns import COLUMNS
from users.whitelist.exporting import EXAMPLE, example_file, export_people, spreadsheet_delimiter
from users.whitelist.kept import NothingKept, keep, take
from users.whitelist.people import By
from users.whitelist.planning import Kind, Plan, make_plan
from users.whitelist.reading import BadFile, Reading, read_people
from users.whitelist.rows import MOST_KEPT

# Of 100,000 lines and more.
MAX_UPLOAD = 10_000_000
TOO_LARGE = _("This is too much for a page. Please use the command: manage.py whitelist import FILE")


class UploadForm(forms.Form):
    """Takes a CSV file and reads it."""

    file = forms.FileField(label=_("CSV file"))

    def clean_file(self) -> Reading:
        """Return the people of the file."""
        file: UploadedFile[Any] = self.cleaned_data["file"]
        if (file.size or 0) > MAX_UPLOAD:
            raise ValidationError(TOO_LARGE)
        try:
            reading = read_people(file.read())
        except BadFile as error:
            raise ValidationError(str(error)) from None
        if len(reading.rows) > MOST_KEPT:
            raise ValidationError(TOO_LARGE)
        return reading


class ImportExportMixin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Import and export for the list of people, to those who may add and change people."""

    list_before_template = "admin/users/user/list_tools.html"

    def get_urls(self) -> list[URLPattern]:
        """Put the pages before the one that takes any text for a primary key."""
        view = self.admin_site.admin_view
        return [
            path("import/", view(self.import_view), name="users_user_import"),
            path("import/example/", view(require_GET(self.example_view)), name="users_user_import_example"),
            path("import/apply/", view(require_POST(self.apply_view)), name="users_user_import_apply"),
            path("export/", view(require_GET(self.export_view)), name="users_user_export"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Tell the list which buttons to show."""
        buttons = {"may_import": self._may_import(request), "may_export": self.has_change_permission(request)}
        return super().changelist_view(request, {**buttons, **(extra_context or {})})

    def import_view(self, request: HttpRequest) -> HttpResponse:
        """Take a file, and show what it would change."""
        if not self._may_import(request):
            raise PermissionDenied
        posted = request.method == "POST"
        form = UploadForm(request.POST, request.FILES) if posted else UploadForm()
        if posted and form.is_valid():
            return self._preview(request, form)
        return self._page(request, form, {})

    def example_view(self, request: HttpRequest) -> HttpResponse:
        """Send a file as importing wants it."""
        if not self._may_import(request):
            raise PermissionDenied
        headers = {"Content-Disposition": 'attachment; filename="people-example.csv"'}
        return HttpResponse(example_file(), content_type="text/csv; charset=utf-8", headers=headers)

    def apply_view(self, request: HttpRequest) -> HttpResponse:
        """Do what was previewed, as far as it is still to be done."""
        if not self._may_import(request):
            raise PermissionDenied
        by = By(cast(User, request.user), "admin")
        try:
            done = apply_people(take(request, request.POST.get("people", "")), by=by)
        except NothingKept:
            text = _(
                "This preview is over an hour old, or not yours. Nothing was changed; please upload the file again."
            )
            return self._leave(request, messages.ERROR, text, "users_user_import")
        except ImportRefused as refused:
            reasons = "; ".join([str(refused), *map(str, refused.errors.first)])
            return self._leave(request, messages.ERROR, reasons, "users_user_import")
        except ImportFailed as failed:
            return self._leave(request, messages.ERROR, str(failed), "users_user_import")
        counts = ", ".join(f"{kind.label}: {done.count(kind):,}" for kind in Kind)
        text = _("The file was imported. %(counts)s.")
        return self._leave(request, messages.SUCCESS, text % {"counts": counts}, "users_user_changelist")

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """Send the people of the list, as it is filtered, as a CSV file."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        try:
            people = self.get_changelist_instance(request).queryset
        except IncorrectLookupParameters:
            return HttpResponseRedirect(reverse("admin:users_user_changelist"))
        file = export_people(people, bom=True, delimiter=spreadsheet_delimiter())
        headers = {"Content-Disposition": 'attachment; filename="people.csv"'}
        return StreamingHttpResponse(file, content_type="text/csv; charset=utf-8", headers=headers)

    def _preview(self, request: HttpRequest, form: UploadForm) -> HttpResponse:
        reading: Reading = form.cleaned_data["file"]
        plan = make_plan(reading.rows)
        errors = reading.errors + plan.errors
        kept = keep(request, reading) if plan.changes_anything and not errors.count else ""
        return self._page(request, form, {**_shown(reading, plan), "kept": kept, "can_apply": bool(kept)})

    def _page(self, request: HttpRequest, form: UploadForm, context: dict[str, Any]) -> HttpResponse:
        page = {"opts": self.opts, "title": _("Import people"), "form": form, "columns": ", ".join(COLUMNS)}
        page["example"] = EXAMPLE
        template = "admin/users/user/import.html"
        return TemplateResponse(request, template, {**self.admin_site.each_context(request), **page, **context})

    def _may_import(self, request: HttpRequest) -> bool:
        return self.has_add_permission(request) and self.has_change_permission(request)

    def _leave(self, request: HttpRequest, level: int, text: Any, target: str) -> HttpResponse:
        self.message_user(request, text, level)
        return HttpResponseRedirect(reverse(f"admin:{target}"))


def _shown(reading: Reading, plan: Plan) -> dict[str, Any]:
    errors, warnings = reading.errors + plan.errors, reading.warnings + plan.warnings
    return {"plan": plan, "errors": errors, "warnings": warnings, "tallies": plan.tallies.items()}
