"""A proof through the product: tables on disk, a recipe, `shopsynth.run`, and the claims it made.

In: a public data set's files and what the recipe changes. Out: `summary.json` as a dictionary, and
one JSON file a claim under benchmarks/results.

Nothing here trains or compares: arms, doses, controls, registration, intervals and verdicts are the
product's own. A run goes on where it was cut off, and its workspace can be kept with `--workspace`.
"""

import gzip
import hashlib
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
from _record import record

from shopsynth.pipeline import make_recipe, run
from shopsynth.schema import Progress

FOLDERS = {
    "beauty": ("amazon-beauty-s3rec", "Beauty.txt.gz", "Beauty_item2attributes.json.gz"),
    "toys": (
        "amazon-toys-s3rec",
        "Toys_and_Games.txt.gz",
        "Toys_and_Games_item2attributes.json.gz",
    ),
}
WHERE = "github.com/RUCAIBox/CIKM2020-S3Rec, folder data"
CONTROLS = ("same_compute", "oversample", "noise", "broken_link")


def write_tables(data: Path, data_set: str, folder: Path, *, explored: bool = False) -> str:
    """Write a data set as `items.parquet` and `events.parquet`; return its name and hash.

    A line of the source is a user and its items in time order: ties keep the order of the file.

    Args:
        data: The folder of all data sets.
        data_set: One of :data:`FOLDERS`.
        folder: Where to write.
        explored: Settings were chosen on the last items of some users: leave these items out, so
            that no test question was looked at before.
    """
    source, lines_name, attributes_name = FOLDERS[data_set]
    path = data / source / lines_name
    if not path.is_file():
        sys.exit(f"{path}: expected the file {lines_name}, found none; it comes from {WHERE}")
    with gzip.open(path, "rt") as stream:
        lines = [line.split() for line in stream]
    if explored:
        seen = explored_users([line[0] for line in lines])
        lines = [line[:-1] if line[0] in seen else line for line in lines]
    events = (
        pl.DataFrame({"user_id": [u[0] for u in lines], "item_id": [u[1:] for u in lines]})
        .with_columns(pl.int_ranges(pl.col("item_id").list.len()).alias("position"))
        .explode("item_id", "position")
    )
    with gzip.open(data / source / attributes_name, "rt") as stream:
        attributes = {item: [str(n) for n in of] for item, of in json.load(stream).items()}
    items = events.select("item_id").unique(maintain_order=True)
    words = [attributes.get(item, []) for item in items["item_id"]]
    items = items.with_columns(pl.Series("attributes", words, pl.List(pl.String)))
    folder.mkdir(parents=True, exist_ok=True)
    events.write_parquet(folder / "events.parquet")
    items.write_parquet(folder / "items.parquet")
    return f"{source} sha256 {hashlib.sha256(path.read_bytes()).hexdigest()}"


def explored_users(users: Sequence[str]) -> set[str]:
    """Name the quarter of users whose last items exploration was judged by."""
    order = sorted(users, key=lambda user: hashlib.sha256(f"shop{user}".encode()).hexdigest())
    return set(order[len(order) // 2 : len(order) * 3 // 4])


def prove(recipe: Mapping[str, Any], tables: Path, workspace: Path) -> dict[str, Any]:
    """Run a recipe whose tables lie in a folder; return the summary."""
    shop = {path.stem: {"path": path.name} for path in sorted(tables.glob("*.parquet"))}
    checked = make_recipe({"shop": shop, **recipe}, base=tables, where="benchmark")
    summary = run(checked, workspace, progress=Lines()).summary
    if summary is None:
        raise RuntimeError("the run ended before its report")
    return summary


def claim(summary: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Find a registered hypothesis by its name."""
    (found,) = (row for row in summary["hypotheses"] if row["name"] == name)
    return found


def rows_behind(summary: Mapping[str, Any], hypothesis: str) -> list[dict[str, Any]]:
    """List the comparisons at the place of a registered hypothesis."""
    found = claim(summary, hypothesis)
    place = ("task", "model", "metric", "cutoff", "slice")
    return [row for row in summary["uplift"] if all(row[key] == found[key] for key in place)]


def reached(
    summary: Mapping[str, Any],
    hypothesis: str,
    *,
    also: Sequence[str] = (),
    at_least: Sequence[str] = (),
) -> bool:
    """Say whether a goal was reached: more than that its registered hypothesis passed.

    Args:
        summary: Of the run.
        hypothesis: Its goal must be reached over every control too, not over real rows alone.
        also: Other registered hypotheses that must have passed.
        at_least: Arms that the combined one may not fall behind, in the mean.
    """
    goal = claim(summary, hypothesis)["goal"]
    needed = {**dict.fromkeys(CONTROLS, goal), **dict.fromkeys(at_least, 0.0)}
    gains = {
        row["against"]: row["relative"]
        for row in rows_behind(summary, hypothesis)
        if row["arm"] == "combined"
    }
    far_enough = all(
        gains.get(arm) is not None and gains[arm] >= least for arm, least in needed.items()
    )
    return far_enough and all(claim(summary, name)["passed"] for name in (hypothesis, *also))


def record_claim(
    name: str,
    summary: Mapping[str, Any],
    hypothesis: str,
    *,
    reach: str,
    data: str,
    note: str,
    also: Sequence[str] = (),
    at_least: Sequence[str] = (),
) -> None:
    """Write a registered hypothesis and all rows behind it as a benchmark's result.

    ``also`` and ``at_least`` are as in :func:`reached`.
    """
    found, rows = claim(summary, hypothesis), rows_behind(summary, hypothesis)
    record(
        name,
        passed=reached(summary, hypothesis, also=also, at_least=at_least),
        reach=reach,
        value=found["relative"],
        low=found["low"],
        high=found["high"],
        unit=f"relative {found['metric']}@{found['cutoff']}, 95 % over seeds and users",
        data=data,
        seeds=max((row["seeds"] for row in rows), default=0),
        cpu_s=sum(stage["cpu_s"] for stage in summary["stages"]),
        peak_rss_mb=max(stage["peak_rss_mb"] for stage in summary["stages"]),
        uplift=rows,
        note=note,
        hypotheses=summary["hypotheses"],
        registration=summary["registration"],
        metrics=[
            row
            for row in summary["metrics"]
            if all(row[key] == found[key] for key in ("task", "metric", "cutoff", "slice"))
        ],
    )


@contextmanager
def place_for(workspace: Path | None) -> Iterator[Path]:
    """Use the folder that was given, or one that is removed afterwards."""
    if workspace is not None:
        workspace.mkdir(parents=True, exist_ok=True)
        yield workspace
        return
    with tempfile.TemporaryDirectory() as temporary:
        yield Path(temporary)


class Lines(Progress):
    """Progress as lines on standard error: what began, and how many steps it has."""

    def start(self, label: str, total: int | None) -> None:
        print(label, total or "", file=sys.stderr, flush=True)

    def advance(self, n: int = 1) -> None:
        """Say nothing: a proof has thousands of steps."""


def options_of(models: Sequence[str], options: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Keep the options of the models that are on the menu."""
    return {name: dict(options[name]) for name in models if name in options}
