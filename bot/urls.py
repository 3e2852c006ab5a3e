"""URLs that machines ask: webhooks, health and metrics. Nothing of a page is imported for them.

Each counts with and without its slash: a delivery is not sent again to where a redirect points.
"""

from django.urls import path

from bot.monitoring.health import healthz, readyz
from bot.monitoring.metrics.views import metrics
from bot.webhooks import receive

urlpatterns = [
    path("webhooks/<slug:channel>/<slug:bot>/", receive, name="webhook"),
    path("webhooks/<slug:channel>/<slug:bot>", receive, name="webhook_bare"),
    path("healthz", healthz, name="healthz"),
    path("healthz/", healthz, name="healthz_slash"),
    path("readyz", readyz, name="readyz"),
    path("readyz/", readyz, name="readyz_slash"),
    path("metrics", metrics, name="metrics"),
    path("metrics/", metrics, name="metrics_slash"),
]
