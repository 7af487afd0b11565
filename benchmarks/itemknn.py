"""ItemKNN with recency on Amazon Beauty and Toys, leave-one-out, full catalogue.

In: `--data`, a folder with `amazon-beauty-s3rec` and `amazon-toys-s3rec`. Out: NDCG@10 on every
user and the CPU seconds of fit and ranking, as benchmarks/results/itemknn.json.

    python benchmarks/itemknn.py --data DIR
"""

import argparse
import time
from pathlib import Path

from _amazon import BEAUTY, TOYS, gains, mean_with_interval, named, read_shop
from _record import record

from shopsynth.train import make_ranker

REACH_NDCG, REACH_CPU_S = 0.0395, 15.0
PEER_BEAUTY, PEER_TOYS = 0.0399, 0.0482
PEER = "PROOF section 7, ItemKNN with recency"


def measure(path: Path) -> tuple[dict[str, float], float]:
    training, validation, test = read_shop(path)
    start = time.process_time()
    ranker = make_ranker("next_item", "item_knn", {}).fit(training, validation, seed=0)
    ranking = ranker.rank(test.requests, k=10, exclude_seen=True).frame
    cpu_s = time.process_time() - start
    return mean_with_interval(gains(ranking, test.truth)), cpu_s


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    data = parser.parse_args().data
    beauty, cpu_s = measure(data / BEAUTY)
    toys, toys_cpu_s = measure(data / TOYS)
    record(
        "itemknn",
        passed=beauty["value"] >= REACH_NDCG and cpu_s <= REACH_CPU_S,
        reach=f"NDCG@10 >= {REACH_NDCG} and fit + full ranking <= {REACH_CPU_S:.0f} s CPU",
        **beauty,
        unit="ndcg@10, 95 % over users",
        data=named(data / BEAUTY),
        seeds=1,
        cpu_s=cpu_s,
        peer=(PEER, PEER_BEAUTY),
        note=f"beside it amazon-toys-s3rec: {toys['value']:.4f} [{toys['low']:.4f}, "
        f"{toys['high']:.4f}] in {toys_cpu_s:.1f} s CPU (peer {PEER_TOYS}); counted, not trained, "
        "so one seed says all",
    )


if __name__ == "__main__":
    main()
