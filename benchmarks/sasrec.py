"""SASRec with cross-entropy on Amazon Beauty, leave-one-out, full catalogue, one seed.

In: `--data`, a folder with `amazon-beauty-s3rec`. Out: NDCG@10 on every user and the seconds of
training, as benchmarks/results/sasrec.json. The model's default options were chosen on validation.

    OMP_NUM_THREADS=1 python benchmarks/sasrec.py --data DIR
"""

import argparse
import time
from pathlib import Path

from _amazon import BEAUTY, gains, mean_with_interval, named, read_shop
from _record import record

from shopsynth.train import make_ranker

REACH_NDCG, AIM_MINUTES = 0.050, 6.0
PEER = ("PROOF section 7, SASRec CE, masked, raw ties, one seed", 0.0539)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    path = arguments.data / BEAUTY
    training, validation, test = read_shop(path)
    start, start_cpu = time.monotonic(), time.process_time()
    ranker = make_ranker("next_item", "sasrec", {})
    ranker.fit(training, validation, seed=arguments.seed)
    minutes = (time.monotonic() - start) / 60
    cpu_s = time.process_time() - start_cpu
    values = {}
    for name, questions in (("validation", validation), ("test", test)):
        ranking = ranker.rank(questions.requests, k=10, exclude_seen=True).frame
        values[name] = gains(ranking, questions.truth)
    found = mean_with_interval(values["test"])
    record(
        "sasrec",
        passed=found["value"] >= REACH_NDCG,
        reach=f"NDCG@10 >= {REACH_NDCG:.3f}, aim <= {AIM_MINUTES:.0f} minutes on two cores",
        **found,
        unit="ndcg@10, 95 % over users",
        data=named(path),
        seeds=1,
        cpu_s=cpu_s,
        peer=PEER,
        note=f"seed {arguments.seed}; {minutes:.1f} minutes and {ranker.steps_} steps of training; "
        f"validation {values['validation'].mean():.4f}; default options",
    )


if __name__ == "__main__":
    main()
