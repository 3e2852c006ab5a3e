"""Sample where a worker's time goes, with py-spy: whichever thread runs Python at the moment of a sample."""

import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

from benchmarks.figures import BenchmarkError
from benchmarks.processes import Run, Running

SAMPLES_PER_SECOND = 100
SHOWN = 25
LONGEST_SECONDS = 300
OWN_CODE = ("(bot/", "(conversations/", "(usage/", "(users/", "(config/")


class Profile:
    """The samples of several workers, one file of collapsed stacks each."""

    def __init__(self, run: Run, name: str) -> None:
        """Find the sampler.

        Raises:
            BenchmarkError: py-spy is not installed.
        """
        beside_python = Path(sys.executable).parent / "py-spy"
        program = str(beside_python) if beside_python.exists() else shutil.which("py-spy")
        if not program:
            raise BenchmarkError("--profile needs py-spy (requirements/bench.txt)")
        self.program, self.results, self.name = program, run.results, name
        self.samplers: list[tuple[subprocess.Popen[bytes], Path]] = []

    def attach(self, process: Running) -> None:
        """Sample a process from now until it ends."""
        path = self.results / f"{self.name}-{len(self.samplers)}.stacks"
        # --nonblocking: a process that is stopped for every sample would be measured slower than it is.
        options = ["--gil", "--nonblocking", "--nolineno", "--rate", str(SAMPLES_PER_SECOND), "--format", "raw"]
        command = [self.program, "record", "--pid", str(process.pid), "--duration", str(LONGEST_SECONDS), *options]
        sampler = subprocess.Popen(
            [*command, "--output", str(path)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.samplers.append((sampler, path))

    def report(self, cpu_ms: float) -> list[str]:
        """Return the top costs of a message that costs cpu_ms: by function, and those of our own code with callees."""
        functions: Counter[str] = Counter()
        own: Counter[str] = Counter()
        for sampler, path in self.samplers:
            finish(sampler)
            for line in path.read_text().splitlines():
                stack, _, count = line.rpartition(" ")
                if stack:
                    frames = stack.split(";")
                    functions[frames[-1]] += int(count)
                    ours = {frame for frame in frames if any(word in frame for word in OWN_CODE)}
                    own.update(dict.fromkeys(ours, int(count)))
        each = cpu_ms / max(functions.total(), 1)
        lines = [f"profile: CPU ms a message, from {functions.total():,} samples (files: {self.name}-*.stacks)"]
        for title, counter in (("functions, without callees", functions), ("our own, with callees", own)):
            lines.append(f"  {title}:")
            lines += [f"    {count * each:.2f}  {frame}" for frame, count in counter.most_common(SHOWN)]
        return lines


def finish(sampler: "subprocess.Popen[bytes]") -> None:
    """Wait for a sampler whose process has ended, and make it end if it did not notice."""
    try:
        sampler.wait(10)
    except subprocess.TimeoutExpired:
        sampler.send_signal(signal.SIGINT)
        sampler.wait(30)
