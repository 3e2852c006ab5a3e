"""The simulator's URLs: the page is the front page."""

from django.urls import path

from bot.simulator import views
from bot.simulator.about import about
from bot.simulator.story import story

app_name = "simulator"
urlpatterns = [
    path("", views.chat, name="chat"),
    path("simulator/send/", views.send, name="send"),
    path("simulator/about/", about, name="about"),
    path("simulator/people/", views.people, name="people"),
    path("simulator/updates/", views.updates, name="updates"),
    path("simulator/documents/<int:id>/", views.document, name="document"),
    path("simulator/stories/<int:id>/", story, name="story"),
]
