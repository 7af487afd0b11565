"""G3: targets with at most five train events: R@10 +25 %, and the warm ones not worse.

In: `--data`, a folder with the Amazon sets. Out: benchmarks/results/G3_<set>.json. G1 and G3 are
claims of one plan; with the same `--workspace` the second script reads what the first one ran.

    python benchmarks/G3.py --data DIR --set beauty --workspace DIR
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
        f"G3_{arguments.set}",
        summary,
        "G3",
        reach="+25 % recall@10 of sasrec on tail targets over real rows and all controls, "
        "warm not worse than -1 %",
        data=named,
        also=("G3 warm sasrec",),
        note=told(summary, ("G3 system", "G3 warm sasrec", "G3 warm system")),
    )


if __name__ == "__main__":
    main()
