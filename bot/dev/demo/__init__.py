"""Believable data to look at: people who do not exist, what they wrote, and what that has cost.

`manage.py seed_demo` writes it and takes it away again. Only numbers that are kept free for fiction are used, and only
the console channel, so that nothing can ever be sent to anybody. What people write goes through the inbox, a worker's
turns and the outbox, with a script in place of the model and the provider, at the time it was planned for.
"""
