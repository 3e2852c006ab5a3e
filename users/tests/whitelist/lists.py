"""Lists of people, and people as a list."""

from users.models import User
from users.whitelist.reading import read_people

COLUMNS = ("phone_number", "name", "is_whitelisted", "daily_budget_micros")


def reading(*lines, header="phone_number,name,whitelisted,daily_budget_usd"):
    return read_people("\n".join([header, *lines]).encode())


def listed():
    return sorted(User.objects.values_list(*COLUMNS))


def everything():
    return list(User.objects.order_by("pk").values())


def many(count, name="Dana"):
    return reading(*(f"+49171{n:07},{name} {n}" for n in range(count)))
