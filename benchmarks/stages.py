"""ingest, clean and split of a generated shop, through the real program and its workspace.

In: nothing; the shop is generated (see make_events.py). Out: benchmarks/results/stages_1m.json or
stages_10m.json with CPU seconds and peak memory of the whole process tree, from the manifests.

    python benchmarks/stages.py --events 1000000
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from _record import middle, record

RECIPE = """
[shop.items]
path = "items.parquet"
[shop.events]
path = "events.parquet"
"""
GOALS = {1_000_000: (8.0, 1.5), 10_000_000: (90.0, 6.0)}
STAGES = ("ingest", "clean", "split")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    cpu, wall, peak = [], [], []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        make = [sys.executable, str(Path(__file__).with_name("make_events.py"))]
        make += ["--events", str(arguments.events), "--output", str(folder / "events.parquet")]
        subprocess.run([*make, "--items", str(folder / "items.parquet")], check=True)
        (folder / "recipe.toml").write_text(RECIPE)
        for number in range(arguments.repeats):
            workspace = folder / f"w{number}"
            program = str(Path(sys.executable).with_name("shopsynth"))
            before = time.perf_counter()
            subprocess.run(
                [program, "split", str(folder / "recipe.toml"), "-w", str(workspace), "--quiet"],
                check=True,
                stdout=subprocess.DEVNULL,
            )
            wall.append(time.perf_counter() - before)
            costs = [
                json.loads((workspace / stage / "manifest.json").read_text())["cost"]
                for stage in STAGES
            ]
            cpu.append(round(sum(cost["cpu_s"] for cost in costs), 2))
            peak.append(max(cost["peak_rss_mb"] for cost in costs))
    goal_s, goal_gb = GOALS[arguments.events]
    median = sorted(cpu)[len(cpu) // 2]
    record(
        f"stages_{arguments.events // 1_000_000}m",
        passed=median <= goal_s and max(peak) <= goal_gb * 1024,
        reach=f"≤ {goal_s:.0f} s CPU, ≤ {goal_gb} GB",
        **middle(cpu),
        unit="CPU s of ingest + clean + split, workers included; median, least and greatest",
        seeds=len(cpu),
        data=f"make_events.py --events {arguments.events}",
        cpu_s=sum(cpu),
        peak_rss_mb=round(max(peak)),
        note=f"wall {min(wall):.1f} to {max(wall):.1f} s with start-up",
    )


if __name__ == "__main__":
    main()
