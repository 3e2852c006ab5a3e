"""A connection has a limit of its own, which psycopg is not told of."""

import pytest
from django.db import connection

pytestmark = [pytest.mark.promise("connections"), pytest.mark.database]


@pytest.mark.django_db
def test_a_connection_has_the_limit_and_psycopg_is_not_told_of_it() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("PostgreSQL only")
    connection.ensure_connection()

    assert connection.connection.client_timeout == 20
    assert "client_timeout" not in connection.get_connection_params()
