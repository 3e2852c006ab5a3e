"""Retention periods: the single source for the purge, its table and the manual."""

# A provider redelivers for up to seven days, and rows serve to recognise redeliveries.
MESSAGE_ROW_DAYS = 8
# A message from before an erasure must be dropped, however late it is redelivered.
TOMBSTONE_DAYS = MESSAGE_ROW_DAYS
# Texts that were not delivered (no delivery status, failed, uncertain) stay a day, for staff.
OUTBOUND_TEXT_DAYS = 1
# Of people who erased themselves while their bot was paused.
FAREWELL_DAYS = 1
# The simulator's data: previews of bots, and simulated people over budget.
SIMULATED_DAYS = 1
ACCESS_REQUEST_DAYS = 30
# Longer than any turn between its reservation and its end.
RESERVATION_HOURS = 1
# For a yearly audit of who has read or erased what.
AUDIT_DAYS = 365
# Long enough for complaints, and for questions about a quarter's figures.
ADMIN_HISTORY_DAYS = 90
# Long enough for an operator to look; failures are in the log as well.
TASK_DAYS = 30
# A task is taken within seconds; one that is not belongs to a scheduler that was renamed or removed.
QUEUED_TASK_DAYS = 7
