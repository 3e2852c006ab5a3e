"""Run a work under valgrind's callgrind, and read how many instructions its parts took."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.counted.sizes import LONG, SHORT, TRACED
from benchmarks.figures import BenchmarkError

LIMIT_SECONDS = 1_800
# So that libraries choose the same code whatever the processor can do: glibc for memory and strings, OpenSSL for
# hashes.
MASKED = ("AVX512F", "AVX512VL", "AVX512BW", "AVX2", "AVX", "BMI1", "BMI2", "LZCNT", "MOVBE", "RTM", "ERMS", "FSRM")
PLAIN_PROCESSOR = {
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=" + ",".join(f"-{name}" for name in MASKED),
    # Without AVX, AVX2, BMI and SHA: what is left is SSE, which every x86-64 of the last ten years has.
    "OPENSSL_ia32cap": "~0x1000000000000000:~0x20000128",
}
UNDER_VALGRIND = "PARLEY_COUNTED"
# How a work ends that could not have the counting switched on.
NO_SWITCH = 90


class SwitchError(Exception):
    """Valgrind could not be told to begin counting; it can still count from the start, which takes minutes."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What one message of a work costs."""

    instructions: float
    statements: float


def missing() -> str:
    """Return which program is missing, empty when none is."""
    return next((name for name in ("valgrind", "vgdb") if shutil.which(name) is None), "")


def count(kind: str, env: Mapping[str, str], directory: Path, *, from_start: bool = False) -> Counted:
    """Run benchmarks.counted.work under callgrind, and count from where it says, or from its start.

    Raises:
        BenchmarkError: it failed.
    """
    output = directory / f"{kind}.callgrind"
    prefix = directory / "vgdb"
    command = [
        *("valgrind", "--quiet", "--tool=callgrind", f"--callgrind-out-file={output}", "--dump-before=getppid"),
        *(f"--instr-atstart={'yes' if from_start else 'no'}", f"--vgdb-prefix={prefix}"),
        *(sys.executable, "-m", "benchmarks.counted.work", kind),
    ]
    own = {**env, **PLAIN_PROCESSOR, "PYTHONHASHSEED": "0"}
    if not from_start:
        # Most of it all is the start, which does not count: not counting it makes it many times faster.
        own[UNDER_VALGRIND] = str(prefix)
    log = directory / f"{kind}.log"
    with log.open("w") as stream:
        try:
            done = subprocess.run(
                command, env=own, stdout=subprocess.PIPE, stderr=stream, timeout=LIMIT_SECONDS, text=True, check=False
            )
        except subprocess.TimeoutExpired:
            raise BenchmarkError(f"{kind}: not done within {LIMIT_SECONDS} s") from None
    if done.returncode == NO_SWITCH:
        raise SwitchError
    if done.returncode:
        raise BenchmarkError(f"{kind} failed:\n{log.read_text()[-2_000:]}")
    # The first ends where counting begins.
    short, long = (total(Path(f"{output}.{number}")) for number in (2, 3))
    statements = json.loads(done.stdout)["statements"]
    return Counted((long - short) / (LONG - SHORT), statements / TRACED)


def total(path: Path) -> int:
    """Return the instructions of one of callgrind's files."""
    line = next(line for line in path.read_text().splitlines() if line.startswith(("totals:", "summary:")))
    return int(line.split()[1])


def begin_counting() -> None:
    """Let the valgrind that this process runs under count from now on; without one, do nothing."""
    prefix = os.environ.get(UNDER_VALGRIND)
    if prefix is None:
        return
    command = ["vgdb", f"--vgdb-prefix={prefix}", f"--pid={os.getpid()}", "instrumentation", "on"]
    asking = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    # Not wait(): a process that is blocked must be woken by ptrace, which a container may forbid.
    while asking.poll() is None:
        pass
    if asking.returncode:
        os._exit(NO_SWITCH)
