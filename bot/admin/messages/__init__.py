"""Messages in the admin: inbox, outbox, chats being worked on, conversations."""
