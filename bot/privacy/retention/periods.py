"""How long things are kept. Nothing else says it: the purge, its table and the manual all read it here."""

# A provider redelivers for up to seven days: rows are what recognises it.
MESSAGE_ROW_DAYS = 8
# What was written before an erasure must not come in after it, however late it is delivered again.
TOMBSTONE_DAYS = MESSAGE_ROW_DAYS
# Texts that never reached "delivered" (no receipts, failed, uncertain) stay a day, for staff.
OUTBOUND_TEXT_DAYS = 1
# To who erased themselves while their bot was paused.
FAREWELL_DAYS = 1
# What the simulator needs for a while: previews of bots, and who is made up to be over budget.
SIMULATED_DAYS = 1
ACCESS_REQUEST_DAYS = 30
# Longer than any turn takes between its reservation and its end.
RESERVATION_HOURS = 1
# Whoever looks for who has read or erased something does so at an audit, once a year.
AUDIT_DAYS = 365
# Long enough to find out who changed what a person complains about, or what the quarter's figures make one ask for.
ADMIN_HISTORY_DAYS = 90
# Long enough for somebody to look: what failed is in the log as well.
TASK_DAYS = 30
# A task is taken within seconds. What nobody took belongs to a scheduler that was renamed or is gone for good.
QUEUED_TASK_DAYS = 7
