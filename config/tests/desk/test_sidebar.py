"""The sidebar names only what one may see."""

import pytest
from django.urls import reverse

from bot.tests.support.desk_rows import fill_desk
from bot.tests.support.desk_seen import sign_in

pytestmark = pytest.mark.django_db


def test_the_search_of_the_sidebar_names_only_what_one_may_see() -> None:
    fill_desk()
    client, _ = sign_in("admin")
    page = client.get(reverse("admin:search"), {"s": "conversation"}).content.decode()
    assert reverse("admin:conversations_conversation_changelist") not in page
    owner, _ = sign_in("owner")
    page = owner.get(reverse("admin:search"), {"s": "conversation"}).content.decode()
    assert reverse("admin:conversations_conversation_changelist") in page


@pytest.mark.parametrize("app", ["conversations", "django_q"])
def test_an_app_without_a_page_for_somebody_has_no_page_itself(app: str) -> None:
    owner, admin = sign_in("owner")[0], sign_in("admin")[0]
    url = reverse("admin:app_list", args=[app])
    assert (owner.get(url).status_code, admin.get(url).status_code) == (200, 404)
