"""The whitelist: who may talk to the bots. One person by their number, or many by a CSV file.

A file goes reading → planning → applying: bytes become rows (or errors by line), rows a plan that changes nothing, and
applying makes the plan again and writes it in one transaction.
"""

from users.whitelist.people import By as By
from users.whitelist.people import Outcome as Outcome
from users.whitelist.people import Result as Result
from users.whitelist.people import StaffOnly as StaffOnly
from users.whitelist.people import allow as allow
from users.whitelist.people import allow_person as allow_person
from users.whitelist.people import deny as deny
