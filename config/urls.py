"""Every URL of the project."""

from django.contrib import admin
from django.urls import include, path

# Here and not in django.setup(): only processes that serve pages load them.
admin.autodiscover()
admin.site.index_template = "admin/dashboard/index.html"

urlpatterns = [
    path("admin/", admin.site.urls),
    path("language/", include("django.conf.urls.i18n")),
    path("", include("bot.urls")),
    path("", include("bot.simulator.urls")),
]

handler400 = "bot.web.error_pages.bad_request"
handler403 = "bot.web.error_pages.permission_denied"
handler404 = "bot.web.error_pages.not_found"
handler500 = "bot.web.error_pages.server_error"
