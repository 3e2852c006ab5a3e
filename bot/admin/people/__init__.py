"""People in the admin: their list and page, access requests, invites, audit log, privacy."""
