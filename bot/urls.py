"""URLs that machines ask: webhooks, health and metrics. Nothing of a page is imported for them."""

from django.urls import path

from bot.health import healthz, readyz
from bot.metrics.views import metrics
from bot.webhooks import receive

urlpatterns = [
    path("webhooks/<slug:channel>/<slug:bot>/", receive, name="webhook"),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
]
