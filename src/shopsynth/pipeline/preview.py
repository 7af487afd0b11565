"""preview: a few synthetic rows of every method, in seconds.

In: a recipe. Out: one small frame a method. Nothing is trained or judged.
"""

import tempfile
from pathlib import Path

import polars as pl

from shopsynth.generate import PaidSynthesizer, make_synthesizer
from shopsynth.pipeline.checks import check_recipe
from shopsynth.pipeline.job import Job
from shopsynth.pipeline.local import InlineExecutor
from shopsynth.pipeline.recipe import Recipe
from shopsynth.pipeline.run import run
from shopsynth.pipeline.stages.base import read_dataset
from shopsynth.pipeline.stages.methods import draw_seed, located
from shopsynth.pipeline.verbs import Verbs
from shopsynth.pipeline.workspace import Workspace
from shopsynth.privacy import PrivateView
from shopsynth.schema import SILENT, PrivacyError, Progress, SyntheticDataset, derived_seed

_MAX_USERS = 5_000
"""Methods that nobody pays for are fitted on at most this many users: a preview shows form."""


def preview(
    recipe: Recipe,
    *,
    rows: int = 10,
    workspace: str | Path | None = None,
    progress: Progress = SILENT,
) -> dict[str, pl.DataFrame]:
    """Show what the recipe's methods make.

    Args:
        recipe: A checked recipe.
        rows: Rows to show of each method.
        workspace: Folder whose finished stages are used; a temporary one otherwise.
        progress: Listener.

    Returns:
        Synthetic rows by method; with item titles, what was searched for (``query``) and the
        users' attributes where the shop has them; of each made search the best and the worst of
        its items, so that ten rows show five. Parts of what was written about items follow
        under ``<method>: <table>``, and counts by reason of what a method made and took back under
        ``<method>: rejects``. Answers of a language model are those that a run takes first.

    Raises:
        RecipeError: If a method cannot run on this shop.
        PrivacyError: In mode dp, where a preview would spend budget.
    """
    if recipe.privacy.mode == "dp":
        raise PrivacyError(
            "preview: every look at people's rows costs in mode dp, got a recipe in that mode; "
            "preview it with --set privacy.mode=deidentify, or run it"
        )
    check_recipe(recipe, "generate")
    with tempfile.TemporaryDirectory(prefix="shopsynth-preview-") as temporary:
        place = Path(workspace) if workspace is not None else Path(temporary)
        result = run(recipe, place, until="privacy", progress=progress)
        protected = result.manifests["privacy"]
        store = Workspace(place).store
        verbs = Verbs("preview", ("schema",), InlineExecutor(), store, progress)
        job = Job(verbs.task("preview", protected.outputs), store)
        try:
            data = read_dataset(job)
        finally:
            job.clean_up()
    few = data
    if data.events is not None:
        first = data.events["user_id"].unique(maintain_order=True).head(_MAX_USERS)
        some = data.events.filter(pl.col("user_id").is_in(first.implode()))
        few = data.with_tables(events=some)
    whole, part = (PrivateView(rows, **protected.facts["receipt"]) for rows in (data, few))
    shown = {}
    for entry in recipe.generate:
        name = entry.synthesizer
        method = make_synthesizer(name, located(entry, recipe).options)
        paid = isinstance(method, PaidSynthesizer)
        # The run's own rows and seed: what a look has paid for, the run takes from the disk.
        method.fit(whole if paid else part, seed=derived_seed(recipe.seed, "preview", name))
        seed = derived_seed(recipe.seed, "preview")
        if paid:
            seed = derived_seed(draw_seed(recipe, name, 0), "sample")
        made = method.sample(rows, seed=seed)
        shown[name] = _told(made, method.table, rows)
        parts = {table: made.further[table] for table in made.further if table != method.table}
        shown |= {f"{name}: {table}": frame for table, frame in parts.items()}
        if made.rejects.height:
            # Without its reasons an empty table tells nothing.
            counts = made.rejects.group_by("reason").agg(rejected=pl.len())
            shown[f"{name}: rejects"] = counts.sort("rejected", "reason", descending=[True, False])
    return shown


def _told(sample: SyntheticDataset, table: str, rows: int) -> pl.DataFrame:
    """Return the first rows with what other tables say of them."""
    made, told = sample.data, sample.need(table)
    if table == "judgments":
        told = _ends_of_each(told)
    told = told.head(rows)
    others = []
    if "title" in made.items.columns:
        others.append((made.items.select("item_id", "title"), "item_id"))
    if made.queries is not None and "query_id" in told.columns:
        others.append((made.queries.select("query_id", query="text"), "query_id"))
    if made.users is not None and "user_id" in told.columns:
        others.append((made.users, "user_id"))
    for frame, key in others:
        told = told.join(frame, on=key, how="left", maintain_order="left", suffix="_told")
    return told


def _ends_of_each(judgments: pl.DataFrame) -> pl.DataFrame:
    """Return the best and the worst judgment of each query, in the order of queries.

    Example:
        >>> made = {"query_id": list("aaab"), "item_id": list("xyzx"), "grade": [1, 3, 0, 3]}
        >>> _ends_of_each(pl.DataFrame(made))["item_id"].to_list()
        ['y', 'z', 'x']
    """
    place = pl.int_range(pl.len()).over("query_id")
    return (
        judgments.with_row_index("asked")
        .with_columns(pl.col("asked").min().over("query_id"))
        .sort("asked", "grade", descending=[False, True], maintain_order=True)
        .filter((place == 0) | (place == pl.len().over("query_id") - 1))
        .drop("asked")
    )
