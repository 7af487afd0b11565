"""The run behind G1 and G3: all users train, all are asked, tail targets among them.

In: a folder with the Amazon sets. Out: the summary of one registered run. Both figures are claims
of the same plan, so the test part is read once for both.
"""

from pathlib import Path
from typing import Any

from _proof import CONTROLS, prove, write_tables

NEURAL, SYSTEM = "sasrec", "system"
MODELS = ("item_knn", "hybrid", "sasrec", "sasrec+hybrid")

OPTIONS = {"sasrec": {"layers": 1, "negatives": 256, "learning_rate": 0.002, "patience": 12}}
"""The same in every arm. One layer, fewer negatives and a higher rate than the defaults, which take
four times the time; dose and weight were chosen on validation of Beauty, one seed."""

CLAIMS = (
    {"name": "G1", "model": NEURAL, "goal": 0.03},
    {"name": "G1 system", "model": SYSTEM, "goal": 0.03},
    {"name": "G3", "model": NEURAL, "metric": "recall", "slice": "tail", "goal": 0.25},
    {"name": "G3 system", "model": SYSTEM, "metric": "recall", "slice": "tail", "goal": 0.25},
    *(
        {
            "name": f"G3 warm {model}",
            "model": model,
            "role": "secondary",
            "kind": "non_inferiority",
            "slice": "warm",
        }
        for model in (NEURAL, SYSTEM)
    ),
)


def run_full(data: Path, data_set: str, place: Path) -> tuple[str, dict[str, Any]]:
    """Return the data set's name with its hash, and the summary."""
    named = write_tables(data, data_set, place / "tables")
    recipe = {
        "title": f"G1 and G3, {data_set}",
        "seed": 7,
        "split": {"by": "leave_one_out"},
        "privacy": {"mode": "public"},
        "generate": [{"synthesizer": "teacher", "size": 1.0}],
        "combine": {"ratio": 1.0, "weight": 0.3},
        "train": {
            "models": MODELS,
            "headline": NEURAL,
            "exclude_seen": True,
            "options": OPTIONS,
        },
        "evaluate": {
            "seeds": 3,
            "controls": [*CONTROLS, "side_information"],
            "cutoffs": [10],
            "max_questions": 8_000,
        },
        "prove": {"hypotheses": CLAIMS},
    }
    return named, prove(recipe, place / "tables", place / "run")


def told(summary: dict[str, Any], names: tuple[str, ...]) -> str:
    """Say in a line what became of other claims of the plan."""
    rows = {row["name"]: row for row in summary["hypotheses"]}
    return "; ".join(
        f"{name}: {rows[name]['relative']:+.1%} [{rows[name]['low']:+.1%}, "
        f"{rows[name]['high']:+.1%}], {rows[name]['verdict']}"
        for name in names
    )
