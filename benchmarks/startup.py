"""How long `import shopsynth` and `shopsynth --help` take, in fresh processes, in turn.

In: nothing. Out: benchmarks/results/startup_import.json and startup_help.json. Seconds are wall
clock, because that is what a person waits for; CPU seconds stand beside them.

    python benchmarks/startup.py
"""

import resource
import subprocess
import sys
import time
from pathlib import Path

from _record import middle, record

REPEATS = 11
GOAL_S = 0.5
COMMANDS = {
    "startup_import": [sys.executable, "-c", "import shopsynth"],
    "startup_help": [str(Path(sys.executable).with_name("shopsynth")), "--help"],
}


def children_cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    wall: dict[str, list[float]] = {name: [] for name in COMMANDS}
    cpu: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(REPEATS):
        for name, command in COMMANDS.items():
            cpu_before, before = children_cpu_s(), time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            wall[name].append(round(time.perf_counter() - before, 3))
            cpu[name].append(children_cpu_s() - cpu_before)
    for name, values in wall.items():
        median = sorted(values)[REPEATS // 2]
        median_cpu = sorted(cpu[name])[REPEATS // 2]
        record(
            name,
            passed=median < GOAL_S,
            reach=f"< {GOAL_S} s",
            **middle(values),
            unit="s wall; median, least and greatest of fresh processes",
            data="none",
            seeds=REPEATS,
            cpu_s=sum(cpu[name]),
            note=f"median {median_cpu:.3f} s CPU",
        )


if __name__ == "__main__":
    main()
