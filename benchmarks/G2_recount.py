"""G2's first run told again, without the users that exploration had looked at.

In: `--data`, and the `--workspace` of the registered run on a tenth of Beauty, which asked for the
last items of all users. Out: the field `without_explored` of benchmarks/results/G2_beauty_10.json:
the same comparison of the same stored values, on the users whose last items nobody had seen.

    python benchmarks/G2_recount.py --data DIR --workspace DIR
"""

import argparse
import gzip
import json
from pathlib import Path

import polars as pl
from _proof import CONTROLS, FOLDERS, explored_users
from _record import RESULTS

from shopsynth.evaluate import Hypothesis, UnitValues, compare_arms
from shopsynth.pipeline import Workspace

RESULT = RESULTS / "G2_beauty_10.json"
PLACE = {"model": "sasrec", "metric": "ndcg", "cutoff": 10}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--workspace", type=Path, required=True)
    arguments = parser.parse_args()
    source, lines_name, _ = FOLDERS["beauty"]
    with gzip.open(arguments.data / source / lines_name, "rt") as stream:
        seen = pl.Series(sorted(explored_users([line.split()[0] for line in stream])))
    place = Workspace(arguments.workspace / "run")
    evaluated = place.manifest("evaluate")
    if evaluated is None:
        raise SystemExit(f"{arguments.workspace}: expected a finished run of G2.py, found none")
    fits = [
        pl.read_parquet(place.store.local_path(ref.key)).filter(slice="all", metric="ndcg")
        for ref in evaluated.parts("units")
    ]
    unseen = [fit.filter(~pl.col("unit_id").is_in(seen.implode())) for fit in fits]
    compared = compare_arms(
        UnitValues.read(unseen),
        plan=[Hypothesis(name="sasrec", goal=0.12, **PLACE)],
        headline_model="sasrec",
        headline_metrics={"next_item": "ndcg"},
        cutoff=10,
        controls={"next_item": CONTROLS},
        made_of={"hybrid": ["item_knn", "content_knn"]},
        seed=1,
    )
    (found,) = compared.hypotheses.to_dicts()
    result = json.loads(RESULT.read_text(encoding="utf-8"))
    result["without_explored"] = {
        "units": unseen[0]["unit_id"].n_unique(),
        "of": fits[0]["unit_id"].n_unique(),
        **{key: found[key] for key in ("relative", "low", "high", "unbeaten", "side_information")},
        "uplift": compared.uplift.filter(model="sasrec").to_dicts(),
    }
    text = json.dumps(result, indent=1, ensure_ascii=False) + "\n"
    RESULT.write_text(text, encoding="utf-8")
    print(json.dumps({k: v for k, v in result["without_explored"].items() if k != "uplift"}))


if __name__ == "__main__":
    main()
