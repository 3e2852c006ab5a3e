"""Bots in the admin: their list, their page, pausing, trying prompts, deleting."""
