"""Sample 4,000 synthetic histories from 4,000 real ones of Amazon Beauty, and write them down.

In: the folder `beauty-1000` with beauty.seq.train.parquet (columns user, pos, item). Out: a file of
the same columns with as many synthetic users; what fit and sample took, on standard output. Peers
write the same file, and the same evaluation reads both.

    python benchmarks/beauty_1000.py --data DIR --synthesizer markov --out FILE.seq.parquet
"""

import argparse
import json
import resource
import sys
import time
from pathlib import Path

import polars as pl

from shopsynth.generate import SYNTHESIZERS, make_synthesizer
from shopsynth.privacy import PrivacySettings, open_view
from shopsynth.schema import Dataset

KEY = b"benchmark data protect nobody"
USERS = 4_000


def main() -> None:
    arguments = _arguments()
    data = read(arguments.data, arguments.users)
    view, _ = open_view(data, PrivacySettings(mode="public"), KEY)
    options = json.loads(arguments.options)

    start = time.process_time()
    synthesizer = make_synthesizer(arguments.synthesizer, options)
    synthesizer.fit(view, seed=arguments.seed)
    fitted = time.process_time()
    made = synthesizer.sample(view.n_users, seed=arguments.seed).data.need("events")
    done = time.process_time()

    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    as_histories(made).write_parquet(arguments.out)
    told = {
        "synthesizer": arguments.synthesizer,
        "seed": arguments.seed,
        "users": view.n_users,
        "fit_cpu_s": round(fitted - start, 3),
        "sample_cpu_s": round(done - fitted, 3),
        "events": made.height,
        "events_per_cpu_s": round(made.height / (done - fitted)),
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }
    sys.stdout.write(json.dumps(told) + "\n")


def read(folder: Path, n_users: int) -> Dataset:
    """Read the first users of the training file as a shop that knows only an order."""
    events = pl.read_parquet(folder / "beauty.seq.train.parquet").select(
        user_id="user", item_id="item", position=pl.col("pos").cast(pl.Int64)
    )
    users = events["user_id"].unique(maintain_order=True).head(n_users)
    events = events.filter(pl.col("user_id").is_in(users.implode()))
    items = events.select("item_id").unique().sort("item_id")
    return Dataset(items=items, events=events)


def as_histories(events: pl.DataFrame) -> pl.DataFrame:
    """Give synthetic events the columns of the training file."""
    return events.sort("user_id", "position").select(user="user_id", pos="position", item="item_id")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder beauty-1000")
    parser.add_argument("--synthesizer", choices=SYNTHESIZERS.names(), default="markov")
    parser.add_argument("--options", default="{}", help="the method's options, as JSON")
    parser.add_argument("--users", type=int, default=USERS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args()


if __name__ == "__main__":
    main()
