"""The form every benchmark is recorded in: one JSON file under benchmarks/results.

In: what was measured. Out: the file, and the same on standard output.
"""

import json
import os
import platform
import resource
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def record(
    name: str,
    *,
    passed: bool,
    reach: str,
    values: list[float],
    unit: str,
    data: str,
    cpu_s: float,
    peak_rss_mb: float | None = None,
    note: str = "",
    **more: Any,
) -> None:
    """Write one result; ``values`` are the repeated measurements: median, least and greatest.

    Args:
        name: Name of the file and of the figure.
        passed: Whether the goal was reached.
        reach: The goal in words.
        values: One value a repetition.
        unit: Of the values.
        data: What it was measured on, with a hash where it is a file.
        cpu_s: CPU seconds of the whole measurement.
        peak_rss_mb: Peak memory; of this process if not given.
        note: What a reader must know.
        more: Further fields.
    """
    ordered = sorted(values)
    result = {
        "name": name,
        "passed": passed,
        "reach": reach,
        "value": ordered[len(ordered) // 2],
        "low": ordered[0],
        "high": ordered[-1],
        "unit": unit,
        "peer": {"name": "", "value": 0.0},
        "uplift": [],
        "command": "python " + " ".join(["benchmarks/" + Path(sys.argv[0]).name, *sys.argv[1:]]),
        "data": data,
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python "
        f"{platform.python_version()}, load {os.getloadavg()[0]:.1f}",
        "seeds": len(values),
        "cpu_s": round(cpu_s, 2),
        "peak_rss_mb": peak_rss_mb
        or round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "date": datetime.now(UTC).date().isoformat(),
        "note": note,
        **more,
    }
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps(result, indent=1, ensure_ascii=False) + "\n"
    (RESULTS / f"{name}.json").write_text(text, encoding="utf-8")
    print(text)
