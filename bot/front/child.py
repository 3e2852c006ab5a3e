"""Begin a child process of the front. (A module of its own: it is imported before Django is set up.)"""

import multiprocessing
import os
import threading

import django


def begin() -> None:
    """Set up Django, and end this process when its parent has ended, however that was."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    django.setup()


def _end_with_parent() -> None:
    # The queue that the child reads never ends by itself: the child holds its other end as well.
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(0)
