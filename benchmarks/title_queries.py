"""Measure made searches without labels: how like held-back real ones, how many come back, speed.

In: Home Depot's pairs (query and title; grades are not read). A fifth of the texts is held back
and never learned from. Out: title_queries.json.

python benchmarks/title_queries.py --data FOLDER
"""

import argparse
import time
from hashlib import sha256
from pathlib import Path

import numpy as np
import polars as pl
from _record import middle, record

from shopsynth.combine import CharacterLikelihood, LexicalRetriever, likelihood_band, round_trip
from shopsynth.generate import make_synthesizer
from shopsynth.privacy import PrivateView
from shopsynth.schema import Dataset
from shopsynth.schema.fingerprint import stable_bucket

_N = 20_000
_REPEATS = 3


def main() -> None:
    """Measure."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--data", type=Path, required=True, help="folder of homedepot-search")
    path = ask.parse_args().data / "pairs.csv.gz"
    pairs = pl.read_csv(path, schema_overrides={"product_uid": pl.String})
    items = pairs.unique("product_uid", keep="first", maintain_order=True).select(
        item_id="product_uid", title="product_title"
    )
    texts = pairs["search_term"].unique().sort()
    held = stable_bucket(texts, 5) == 0
    real, learned = texts.filter(held), texts.filter(~held)
    ids = pl.Series([f"q{n}" for n in range(learned.len())])
    queries = pl.DataFrame({"query_id": ids, "text": learned})
    data = Dataset(items=items, queries=queries)
    view = PrivateView(data, mode="public", fingerprint="f" * 64, max_events_per_user=1)
    start = time.process_time()
    method = make_synthesizer("title_queries", {}).fit(view, seed=1)
    fit_s = time.process_time() - start
    speeds = []
    for seed in range(_REPEATS):
        start = time.process_time()
        made = method.sample(_N, seed=seed)
        speeds.append(_N / (time.process_time() - start))
    kept, lost = round_trip(made, LexicalRetriever(items), k=10)
    likelihood = CharacterLikelihood.fit(learned)
    _, odd = likelihood_band(kept, likelihood, real)
    spent = time.process_time()
    record(
        "title_queries",
        passed=middle(speeds)["value"] >= 20_000,
        reach="at least 20,000 searches per CPU second, judgments included",
        **middle(speeds),
        unit=f"searches per CPU second, median, least and greatest of {_REPEATS}",
        data=f"homedepot-search sha256 {sha256(path.read_bytes()).hexdigest()[:12]}",
        seeds=_REPEATS,
        cpu_s=spent,
        note="No label is read. Round trip by BM25 over 43,332 titles, k = 10.",
        fit_s=round(fit_s, 2),
        real=_looks(real, items["title"]),
        made=_looks(made.data.need("queries")["text"], items["title"]),
        came_back=round(1 - lost.height / _N, 4),
        outside_the_band=round(odd.height / kept.data.need("queries").height, 4),
    )


def _looks(texts: pl.Series, titles: pl.Series) -> dict[str, float]:
    """Describe texts: words, shares of numbers, of words that no title has, of repeated texts."""
    words = texts.str.to_lowercase().str.extract_all(r"[\p{L}\p{M}\p{N}]+")
    known = titles.str.to_lowercase().str.extract_all(r"[\p{L}\p{M}\p{N}]+").explode().unique()
    flat = words.explode(empty_as_null=False)
    lengths = words.list.len().to_numpy()
    return {
        "words": round(float(lengths.mean()), 3),
        "words_deviation": round(float(np.std(lengths)), 3),
        "has_digit": round(float(texts.str.contains(r"\p{N}").mean() or 0.0), 4),
        "in_no_title": round(float((~flat.is_in(known.implode())).mean() or 0.0), 4),
        "distinct": round(texts.n_unique() / texts.len(), 4),
    }


if __name__ == "__main__":
    main()
