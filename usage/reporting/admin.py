"""The report's pages in the admin, beside the list of records: for who may see spending, and only to look."""

import logging
from typing import Any, cast

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from config.desk.lists import ReadOnlyDeskAdmin
from usage.reporting.csv_file import report_csv
from usage.reporting.page import shown
from usage.reporting.question import BadQuestion, Question, read_question
from usage.reporting.table import Table, table
from usage.reporting.words import Names
from users.models import User

logger = logging.getLogger(__name__)


class ReportMixin(ReadOnlyDeskAdmin):
    """The report, and the same as a file."""

    def get_urls(self) -> list[URLPattern]:
        """Put the pages before the one that takes any text for a primary key."""
        view = self.admin_site.admin_view
        return [
            path("report/", view(require_GET(self.report_view)), name="usage_report"),
            path("report/export/", view(require_GET(self.export_view)), name="usage_report_export"),
            *super().get_urls(),
        ]

    def report_view(self, request: HttpRequest) -> HttpResponse:
        """Show what was used and what it cost."""
        self._check(request)
        try:
            question, found, names = self._answer(request)
        except BadQuestion as error:
            return self._page(request, {"error": str(error)}, status=400)
        return self._page(request, shown(question, found, names))

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """Send the rows of the page as a CSV file."""
        self._check(request)
        try:
            question, found, names = self._answer(request)
        except BadQuestion as error:
            return self._page(request, {"error": str(error)}, status=400)
        about = {"staff": request.user.pk, "by": str(question.by), "rows": len(found.rows)}
        logger.info("usage_exported", extra=about)
        name = f"usage-by-{question.by}-{question.span[0]}-{question.span[1]}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        file = report_csv(question, found, names)
        return StreamingHttpResponse(file, content_type="text/csv; charset=utf-8", headers=headers)

    def _check(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied

    def _answer(self, request: HttpRequest) -> tuple[Question, Table, Names]:
        question = read_question(request.GET)
        found = table(question)
        return question, found, Names.in_report(question, found, cast(User, request.user))

    def _page(self, request: HttpRequest, context: dict[str, Any], status: int = 200) -> HttpResponse:
        page = {**self.admin_site.each_context(request), "title": _("Usage"), "content_title": _("Usage"), **context}
        return TemplateResponse(request, "admin/usage/usagerecord/report.html", page, status=status)
