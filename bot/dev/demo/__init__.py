"""Believable data to look at: people who do not exist, what they wrote, and what that has cost.

`manage.py seed_demo` writes it and takes it away again. Only numbers that are kept free for fiction are used, and only
the console channel, so that nothing can ever be sent to anybody.
"""
