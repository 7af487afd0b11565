"""Histories that a recommender can learn from: synthetic only, asked real users' next item.

In: the folder `beauty-1000`; the peers' evaluation script and a Python that can run it (it needs
pandas, SciPy and psutil); synthesizers of ours; files of peers, written in this run or another.
Out: benchmarks/results/beauty_1000_<synthesizer>.json with both recommenders, copies, speed, and
the same of every peer's file.

    python benchmarks/behaviour.py --data DIR/beauty-1000 --evaluation DIR/eval_sequences.py \\
        --python ENVIRONMENT/bin/python --synthesizer markov --out DIR [--peer FILE.seq.parquet]
"""

import argparse
import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from _record import record

from shopsynth.generate import SYNTHESIZERS

GOALS = {"markov": 0.125, "itemknn": 0.120}
"""NDCG@10 of recommenders trained on 4,000 synthetic Beauty users, asked 1,500 real ones."""

SPEED = {"markov": (1.0, 1_000_000), "sequence_lm": (120.0, 20_000)}
"""CPU seconds of the fit, at most; events sampled a CPU second, at least."""

SCRIPT = Path(__file__).resolve().parent / "beauty_1000.py"


def main() -> None:
    arguments = _arguments()
    name = arguments.synthesizer
    runs = [measure(arguments, seed) for seed in range(1, arguments.seeds + 1)]
    figures = {kind: _spread([run[f"ndcg10_{kind}"] for run in runs]) for kind in GOALS}
    peers = [evaluate(arguments, path) for path in arguments.peer]
    copies = max(run["seq_copies"] for run in runs)
    fit_s = max(run["fit_cpu_s"] for run in runs)
    speed = float(np.median([run["events_per_cpu_s"] for run in runs]))
    most_s, least_speed = SPEED.get(name, (np.inf, 0))
    record(
        f"beauty_1000_{name}",
        passed=all(figures[kind]["value"] >= GOALS[kind] for kind in GOALS)
        and copies == 0
        and fit_s <= most_s
        and speed >= least_speed,
        reach=f"NDCG@10 >= {GOALS['markov']} (Markov) and >= {GOALS['itemknn']} (ItemKNN) on "
        "synthetic histories alone, no verbatim history"
        + (
            f", fit <= {most_s:.0f} CPU s, >= {least_speed:,} events a CPU s" if least_speed else ""
        ),
        **figures["markov"],
        unit="ndcg@10 of the Markov recommender, mean and range over seeds",
        peer=(peers[0]["file"], peers[0]["ndcg10_markov"]) if peers else ("", 0.0),
        data=f"beauty-1000 sha256 {_sha256(arguments.data / 'beauty.seq.train.parquet')}",
        seeds=len(runs),
        cpu_s=round(sum(run["fit_cpu_s"] + run["sample_cpu_s"] for run in runs), 2),
        peak_rss_mb=max(run["peak_rss_mb"] for run in runs),
        note=f"ItemKNN {figures['itemknn']['value']}"
        + (f" (peer {peers[0]['ndcg10_itemknn']})" if peers else "")
        + f"; real histories {runs[0]['real_ndcg10_markov']} / {runs[0]['real_ndcg10_itemknn']}; "
        f"fit {fit_s} CPU s, {speed:,.0f} events a CPU s",
        itemknn=figures["itemknn"],
        runs=runs,
        peers=peers,
    )


def measure(arguments: argparse.Namespace, seed: int) -> dict[str, Any]:
    """Fit, sample and evaluate one seed, the first two in a process of their own."""
    name = arguments.synthesizer
    path = arguments.out.resolve() / f"beauty.{name}-{seed}.4000.seq.parquet"
    asked = {
        "--data": arguments.data.resolve(),
        "--synthesizer": name,
        "--seed": str(seed),
        "--options": arguments.options,
        "--out": path,
    }
    made = _run(sys.executable, SCRIPT, asked)
    return {**made, **evaluate(arguments, path)}


def evaluate(arguments: argparse.Namespace, path: Path) -> dict[str, Any]:
    """Let the peers' script judge a file."""
    script = arguments.evaluation.resolve()
    found = _run(
        arguments.python, script, {"--data": arguments.data.resolve(), "--syn": path.resolve()}
    )
    return {key: found[key] for key in found if key not in ("at", "load1", "python", "cores")}


def _run(python: Path | str, script: Path, asked: dict[str, Path | str]) -> dict[str, Any]:
    """Run a script in its own folder, where its modules are; return the JSON of its last line."""
    words = [word for pair in asked.items() for word in pair]
    told = subprocess.run(
        [python, script, *words], check=True, capture_output=True, text=True, cwd=script.parent
    )
    answer: dict[str, Any] = json.loads(told.stdout.splitlines()[-1])
    return answer


def _spread(values: list[float]) -> dict[str, float]:
    return {
        "value": round(float(np.mean(values)), 4),
        "low": round(min(values), 4),
        "high": round(max(values), 4),
    }


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder beauty-1000")
    parser.add_argument("--evaluation", type=Path, required=True, help="eval_sequences.py")
    parser.add_argument("--python", type=Path, required=True, help="Python for the evaluation")
    parser.add_argument("--synthesizer", choices=SYNTHESIZERS.names(), default="markov")
    parser.add_argument("--options", default="{}", help="the method's options, as JSON")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, required=True, help="folder for the samples")
    parser.add_argument("--peer", type=Path, nargs="*", default=[], help="samples of peers")
    return parser.parse_args()


if __name__ == "__main__":
    main()
