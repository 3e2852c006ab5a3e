"""Count the SQL statements that SQLite executes, BEGIN and COMMIT included."""

from typing import Any

from django.db.backends.signals import connection_created


class StatementCounter:
    """Counts the statements of every connection that is opened after it was made, while it is switched on."""

    def __init__(self) -> None:
        self.count = 0
        self._drivers: list[Any] = []
        connection_created.connect(self._opened)

    def _opened(self, connection: Any, **_: Any) -> None:
        self._drivers.append(connection.connection)

    def switch_on(self) -> None:
        """Count from now on."""
        for driver in self._drivers:
            driver.set_trace_callback(self._executed)

    def _executed(self, statement: str) -> None:
        self.count += 1
