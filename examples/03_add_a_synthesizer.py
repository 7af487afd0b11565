"""A synthesizer of your own in one file: `crossover` begins as one customer and ends as another.

In: a private view. Out: new users, each with the first half of one real history and the second
half of another. In a package of your own, name the class under the entry-point group
`shopsynth.generate`, and every recipe can use it.

    .venv/bin/python examples/03_add_a_synthesizer.py
"""

import os
from pathlib import Path

import numpy as np
import polars as pl

import shopsynth
from shopsynth.generate.base import NoOptions, check_request, check_view, register
from shopsynth.pipeline import preview
from shopsynth.schema import SILENT, Dataset, SyntheticDataset, sha256_of

os.environ.setdefault("SHOPSYNTH_PSEUDONYM_KEY", "public-demo-data")


@register("crossover")
class Crossover:
    """Half of one history, half of another. Not for shops without repeat customers."""

    Options = NoOptions
    modes = frozenset({"public", "deidentify", "unsafe_nonprivate"})  # no guarantee: not "dp"
    table = "events"

    def __init__(self, options):
        self.options = options

    def fit(self, view, *, seed, progress=SILENT):
        check_view(view, "crossover", self.modes)
        half = pl.int_range(pl.len()).over("user_id") * 2 >= pl.len().over("user_id")
        self.view_, self.events_ = view, view.events().with_columns(half.alias("second"))
        return self

    def sample(self, n, *, conditions=None, seed, progress=SILENT):
        check_request(n, conditions, "crossover")
        parents = self.events_["user_id"].unique().sort()
        drawn = np.random.Generator(np.random.PCG64(seed)).integers(parents.len(), size=2 * n)
        new = [f"synthetic-crossover-{k // 2:06}" for k in range(2 * n)]
        plan = pl.DataFrame({"user_id": parents[drawn], "new": new, "second": [False, True] * n})
        made = plan.join(self.events_, on=["user_id", "second"], maintain_order="left_right")
        made = made.drop("user_id", "second", "session_id", strict=False)
        data = Dataset(self.view_.items, events=made.rename({"new": "user_id"}))
        options = sha256_of(self.options.model_dump())
        return SyntheticDataset(data, "crossover", options, seed, self.view_.fingerprint)


if __name__ == "__main__":
    ours = ('generate = [{ synthesizer = "crossover" }]', "pipeline.workers = 1")
    recipe = shopsynth.load_recipe(Path(__file__).with_name("online_retail.toml"), overrides=ours)
    print(preview(recipe, rows=8)["crossover"].select("user_id", "item_id", "title", "timestamp"))
