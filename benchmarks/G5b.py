"""G5b: a tenth of the labels and made queries against half of the labels, on unseen queries.

In: `--data`, a folder with `homedepot-search`. Out: benchmarks/results/G5b.json.

A tenth of the training queries keep their judgments. `title_queries` makes four rows a real one, so
that the arm `oracle`, which adds as many real rows, has the labels of half of the queries. All
queries of test are asked, over the full catalogue; models stop by validation alone.

    OMP_NUM_THREADS=1 python benchmarks/G5b.py --data DIR --workspace DIR
"""

import argparse
from pathlib import Path
from typing import Any

from _home_depot import write_tables
from _proof import CONTROLS, claim, place_for, prove, record_claim

HYBRID = "search_hybrid"
OPTIONS = {
    HYBRID: {
        "precision": "bfloat16",
        "learning_rate": 2e-5,
        "max_steps": 150,
        "evaluate_every": 50,
        "weights": (0.2, 0.3, 0.4, 0.5, 0.6),
    }
}
"""The same in every arm; the weight of the dense part is chosen on validation."""


def recipe_for(seeds: int) -> dict[str, Any]:
    """One dose, so that the oracle is half of the labels; the same options in every arm."""
    return {
        "title": "G5b, Home Depot, a tenth of the labels",
        "seed": 7,
        "clean": {"min_events_per_user": 1},
        "split": {"by": "query", "validation": 0.1, "test": 0.2, "train_labels": 0.1},
        "privacy": {"mode": "public"},
        "generate": [{"synthesizer": "title_queries", "size": 1.0}],
        "combine": {"ratio": 4.0, "weight": 0.3},
        "train": {
            "tasks": ["search"],
            "models": ["bm25", HYBRID],
            "headline": HYBRID,
            "options": OPTIONS,
        },
        "evaluate": {"seeds": seeds, "controls": [*CONTROLS, "oracle"], "cutoffs": [10, 100]},
        "prove": {"hypotheses": [{"name": HYBRID, "task": "search", "model": HYBRID}]},
    }


def told(summary: dict[str, Any]) -> str:
    """Say in a line how the arms stand."""
    means = {
        row["arm"]: row["value"]
        for row in summary["metrics"]
        if (row["model"], row["metric"], row["cutoff"], row["slice"]) == (HYBRID, "ndcg", 10, "all")
    }
    listed = ", ".join(f"{arm} {value:.4f}" for arm, value in sorted(means.items()))
    return f"ndcg@10: {listed}; verdict {claim(summary, HYBRID)['verdict']}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--workspace", type=Path)
    parser.add_argument("--seeds", type=int, default=2)
    arguments = parser.parse_args()
    with place_for(arguments.workspace) as place:
        named = write_tables(arguments.data, place / "tables")
        summary = prove(recipe_for(arguments.seeds), place / "tables", place / "run")
    record_claim(
        "G5b",
        summary,
        HYBRID,
        reach="a tenth of the labels with made queries not below half of the labels (oracle), and "
        "above a tenth and all controls",
        at_least=("oracle",),
        data=named,
        note=told(summary),
    )


if __name__ == "__main__":
    main()
