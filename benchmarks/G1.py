"""G1: all users of a public set: does the teacher help a converged SASRec by 3 % NDCG@10?

In: `--data`, a folder with the Amazon sets. Out: benchmarks/results/G1_<set>.json. G1 and G3 are
claims of one plan; with the same `--workspace` the second script reads what the first one ran.

    python benchmarks/G1.py --data DIR --set beauty --workspace DIR
"""

import argparse
from pathlib import Path

from _full import run_full, told
from _proof import place_for, record_claim


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--set", choices=("beauty", "toys"), default="beauty")
    parser.add_argument("--workspace", type=Path)
    arguments = parser.parse_args()
    with place_for(arguments.workspace) as place:
        named, summary = run_full(arguments.data, arguments.set, place)
    record_claim(
        f"G1_{arguments.set}",
        summary,
        "G1",
        reach="+3 % ndcg@10 of sasrec over real rows and all controls, "
        "not worse than side information",
        data=named,
        note=told(summary, ("G1 system", "G3 warm sasrec")),
    )


if __name__ == "__main__":
    main()
