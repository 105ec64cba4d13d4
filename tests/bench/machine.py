"""What the machine and its processes tell: CPU time, memory, versions.

Linux's /proc is all that is asked.
"""

import os
import platform
import resource
from dataclasses import dataclass, field
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


def cpu_seconds(pid: int) -> float:
    """Return CPU time that a process has used, all its threads, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def thread_seconds(pid: int) -> dict[str, float]:
    """Return CPU time of a process's `main` thread and of all `others` together."""
    found = {"main": 0.0, "others": 0.0}
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            fields = (task / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # It ended this moment.
            continue
        found["main" if task.name == str(pid) else "others"] += (
            int(fields[11]) + int(fields[12])
        ) / TICKS
    return found


def resident_mb(pid: int) -> float:
    """Memory that a process has resident, in MB (1024 * 1024 bytes)."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE / (1 << 20)


def peak_mb(pid: int) -> float:
    """Return the most memory that a process ever had resident, in MB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmHWM"))) / 1024


def many_files() -> None:
    """Let this process, and those that it starts, have as many files and connections open as the
    machine allows.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


@dataclass
class Processes:
    """CPU time of some processes by name since `start` was called."""

    pids: dict[str, int]
    _before: dict[str, float] = field(default_factory=dict)

    def start(self) -> None:
        """Count from here."""
        self._before = {name: cpu_seconds(pid) for name, pid in self.pids.items()}

    def used(self) -> dict[str, float]:
        """Return CPU seconds of each since then."""
        return {name: cpu_seconds(pid) - self._before[name] for name, pid in self.pids.items()}


def describe() -> str:
    """Return the machine in one line."""
    cpus = len(os.sched_getaffinity(0))
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")),
        platform.machine(),
    )
    memory = os.sysconf("SC_PHYS_PAGES") * PAGE / (1 << 30)
    kernel = ".".join(platform.release().split(".")[:2])
    return f"{cpus} cores ({model}), {memory:.0f} GB, {platform.system()} {kernel}"
