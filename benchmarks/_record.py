"""The form every benchmark is recorded in: one JSON file under benchmarks/results.

In: what was measured. Out: the file, and the same on standard output.
"""

import json
import os
import platform
import resource
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def record(
    name: str,
    *,
    passed: bool,
    reach: str,
    value: float,
    low: float,
    high: float,
    unit: str,
    data: str,
    seeds: int,
    cpu_s: float,
    peak_rss_mb: float | None = None,
    peer: tuple[str, float] = ("", 0.0),
    uplift: Sequence[dict[str, Any]] = (),
    note: str = "",
    **more: Any,
) -> None:
    """Write one result.

    Args:
        name: Name of the file and of the figure.
        passed: Whether the goal was reached.
        reach: The goal in words.
        value: What was measured.
        low: Lower end of its interval; ``unit`` says which interval.
        high: Upper end.
        unit: Unit of the value, and what the interval is.
        data: What it was measured on, with a hash where it is a file.
        seeds: Seeds or repetitions behind the value.
        cpu_s: CPU seconds of the measurement.
        peak_rss_mb: Peak memory in MB; of this process if not given.
        peer: Name and value of what it is compared with.
        uplift: Rows in the form of summary.json, where arms were compared.
        note: What a reader must know.
        more: Further fields.
    """
    own_peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    command = ["python", "benchmarks/" + Path(sys.argv[0]).name, *_without_paths(sys.argv[1:])]
    result = {
        "name": name,
        "passed": passed,
        "reach": reach,
        "value": value,
        "low": low,
        "high": high,
        "unit": unit,
        "peer": {"name": peer[0], "value": peer[1]},
        "uplift": list(uplift),
        "command": " ".join(command),
        "data": data,
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python "
        f"{platform.python_version()}, {os.environ.get('OMP_NUM_THREADS', 'all')} threads, "
        f"load {os.getloadavg()[0]:.1f}",
        "seeds": seeds,
        "cpu_s": round(cpu_s, 2),
        "peak_rss_mb": round(peak_rss_mb or own_peak_mb),
        "date": datetime.now(UTC).date().isoformat(),
        "note": note,
        **more,
    }
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps(result, indent=1, ensure_ascii=False) + "\n"
    (RESULTS / f"{name}.json").write_text(text, encoding="utf-8")
    print(text)


def middle(values: list[float]) -> dict[str, float]:
    """Return the median of repetitions as the value, the least and the greatest as its ends."""
    ordered = sorted(values)
    return {"value": ordered[len(ordered) // 2], "low": ordered[0], "high": ordered[-1]}


def _without_paths(arguments: list[str]) -> list[str]:
    return ["DATA" if "/" in argument else argument for argument in arguments]
