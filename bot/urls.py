"""The bot's URLs: webhooks, health and the simulator."""

from django.urls import include, path

from bot.health import healthz, readyz
from bot.metrics.views import metrics
from bot.webhooks import receive

urlpatterns = [
    path("webhooks/<slug:channel>/<slug:bot>/", receive, name="webhook"),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
    path("", include("bot.simulator.urls")),
]
