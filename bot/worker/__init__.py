"""The worker process: claim chats, run turns, store replies, send, settle."""
