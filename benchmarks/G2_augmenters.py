"""G2 with other augmenters than the teacher: each at the size and weight that validation chooses.

In: `--data`, a folder with the Amazon sets. Out: benchmarks/results/G2_augmenters.json.

A tenth of Beauty's users trains, as in G2.py, with its network and its options. Every augmenter has
the same trials: three sizes at full weight, then two lower weights at the best size, judged on 5 %
of the users that are asked in validation alone. The chosen dose is fitted three times and asked of
other users. Those users were asked before, by G2.py: a further look, so nothing here is a claim.

    python benchmarks/G2_augmenters.py --data DIR --workspace DIR
"""

import argparse
from pathlib import Path
from typing import Any

from _proof import claim, place_for, prove, write_tables
from _record import record
from G2 import ASKED, NEURAL, OPTIONS

from shopsynth.pipeline.workspace import open_workspace

SHARE = 0.1
AUGMENTERS = ("substitute", "pseudo_session", "pattern", "reverse_prior", "markov", "teacher")
SIZES = (1.0, 4.0, 12.0)
"""Synthetic users per real one, and as many synthetic events per real event."""

GENERATOR_OPTIONS = {"teacher": {"sharpness": 16.0}}
GOAL = 0.12


def recipe_for(augmenter: str) -> dict[str, object]:
    """One augmenter, one network; the dose is left to validation."""
    options = GENERATOR_OPTIONS.get(augmenter, {})
    return {
        "title": f"G2, {augmenter}",
        "seed": 7,
        "split": {
            "by": "leave_one_out",
            "train_users": SHARE,
            "validation_users": 0.05,
            "asked_users": ASKED[SHARE],
        },
        "privacy": {"mode": "public"},
        "generate": [{"synthesizer": augmenter, "size": max(SIZES), "options": options}],
        "combine": {"doses": SIZES, "weights": [0.1, 0.3, 1.0]},
        "train": {
            "models": [NEURAL],
            "headline": NEURAL,
            "exclude_seen": True,
            "options": OPTIONS,
        },
        "evaluate": {"seeds": 3, "controls": ["same_compute"], "cutoffs": [10]},
        "prove": {"hypotheses": [{"name": NEURAL, "model": NEURAL, "goal": GOAL}]},
    }


def told(summary: dict[str, Any], dose: dict[str, Any]) -> dict[str, Any]:
    """What one run showed: NDCG@10 of both arms, the difference, the dose that was chosen."""
    at = ("ndcg", 10, "all")
    values = {
        row["arm"]: round(row["value"], 4)
        for row in summary["metrics"]
        if (row["metric"], row["cutoff"], row["slice"]) == at and row["model"] == NEURAL
    }
    found = claim(summary, NEURAL)
    controls = {
        row["against"]: {key: round(row[key], 4) for key in ("absolute", "low", "high")}
        for row in summary["uplift"]
        if row["arm"] == "combined" and row["model"] == NEURAL
        if (row["metric"], row["cutoff"], row["slice"]) == at
    }
    return {
        "ndcg": values,
        "relative": found["relative"],
        "low": found["low"],
        "high": found["high"],
        "against": controls,
        "dose": dose,
        "cpu_s": sum(stage["cpu_s"] for stage in summary["stages"]),
        "peak_rss_mb": max(stage["peak_rss_mb"] for stage in summary["stages"]),
    }


def chosen_dose(workspace: Path) -> dict[str, Any]:
    """Read which size and weight validation chose."""
    combined = open_workspace(workspace).manifest("combine")
    if combined is None:
        raise RuntimeError(f"{workspace}: expected a complete run")
    dose: dict[str, Any] = combined.facts["dose"]["next_item"][NEURAL]
    return dose


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--workspace", type=Path)
    arguments = parser.parse_args()
    found = {}
    with place_for(arguments.workspace) as place:
        named = write_tables(arguments.data, "beauty", place / "tables", explored=True)
        for augmenter in AUGMENTERS:
            summary = prove(recipe_for(augmenter), place / "tables", place / augmenter)
            found[augmenter] = told(summary, chosen_dose(place / augmenter))
            write(found, named)


def write(found: dict[str, dict[str, Any]], named: str) -> None:
    """Write what is known so far, the best augmenter first."""
    order = sorted(found, key=lambda name: -found[name]["relative"])
    best = found[order[0]]
    record(
        "G2_augmenters",
        passed=best["relative"] >= GOAL and best["low"] > 0,
        reach=f"+{GOAL:.0%} ndcg@10 of {NEURAL} at {SHARE:.0%} of the users",
        value=best["relative"],
        low=best["low"],
        high=best["high"],
        unit="relative ndcg@10 of the best augmenter, 95 % over seeds and users",
        data=f"{named}, {SHARE:.0%} of the users",
        seeds=3,
        cpu_s=sum(each["cpu_s"] for each in found.values()),
        peak_rss_mb=max(each["peak_rss_mb"] for each in found.values()),
        note="a further look at users that G2 asked; "
        + "; ".join(
            f"{name} {found[name]['relative']:+.1%} "
            f"[{found[name]['low']:+.1%}, {found[name]['high']:+.1%}]"
            for name in order
        ),
        augmenters={name: found[name] for name in order},
    )


if __name__ == "__main__":
    main()
