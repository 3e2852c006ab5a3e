"""Keep files with data and secrets from other users of the machine."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

OTHERS = 0o077
OWNER_ONLY = 0o600
# What SQLite keeps beside a database's file, with what was written last.
BESIDE_SQLITE = ("", "-wal", "-shm", "-journal")


def keep_new_files_private() -> None:
    """Let what this process and its children create be readable by their user only, whatever the shell says."""
    os.umask(os.umask(OTHERS) | OTHERS)


def private_files(database: dict[str, Any], base: Path) -> list[Path]:
    """Return the files that are nobody else's business: of a SQLite database, and the .env file in base."""
    files = [base / ".env"]
    if str(database["ENGINE"]).endswith("sqlite3") and ":memory:" not in str(database["NAME"]):
        files += [Path(f"{database['NAME']}{ending}") for ending in BESIDE_SQLITE]
    return files


def open_files(files: Iterable[Path]) -> Iterator[Path]:
    """Yield the files that others can read or write.

    Of somebody else's file only what everybody may counts: root's file is readable to us by its group.
    """
    for path in files:
        try:
            found = path.stat()
        except OSError:
            continue
        concerned = OTHERS if found.st_uid == os.geteuid() else OTHERS & 0o007
        if path.is_file() and found.st_mode & concerned & 0o066:
            yield path


def make_private(files: Iterable[Path]) -> list[Path]:
    """Take the rights of others away from our own files, and return those that were changed."""
    changed = []
    for path in open_files(files):
        try:
            path.chmod(OWNER_ONLY)
        except OSError:
            continue  # (not ours to change: the system check names it)
        changed.append(path)
    return changed
