"""What synthetic rows are like: fidelity, audits and pictures, for the evaluate stage.

In: the split, the synthetic rows of the first seed, the metrics. Out: ``fidelity``, ``audits``,
``embedding``, ``distributions``.
"""

from collections.abc import Iterable

import polars as pl

from shopsynth.evaluate import (
    Canaries,
    Sides,
    audit_release,
    audit_texts,
    describe_distributions,
    embed_histories,
    measure_fidelity,
    measure_text_fidelity,
    synthetic_utility,
)
from shopsynth.pipeline.base import PartRef
from shopsynth.pipeline.job import Job
from shopsynth.pipeline.stages.base import read_heldout
from shopsynth.pipeline.stages.methods import is_noise, table_of
from shopsynth.pipeline.stages.protection import CANARY_PARTS
from shopsynth.pipeline.stages.questions import metric_directions
from shopsynth.privacy import scan_release
from shopsynth.schema import COMPANIONS, empty_evaluation_table
from shopsynth.train import get_task

_HELD_OUT = ("validation", "asked", "test")
_TEXTS = {"judgments": "queries", "reviews": "reviews"}
"""Where the texts are of methods that make texts, by the table they make."""


def first_seed(parts: Iterable[PartRef]) -> list[PartRef]:
    """Pick the synthetic parts that are described: of the first seed, and no control."""
    rooms = ("kept", *COMPANIONS)
    return [
        ref
        for ref in parts
        if (at := ref.name.partition("/"))[0] in rooms and not is_noise(at[2]) and ref.label == "0"
    ]


def describe(job: Job) -> None:
    """Measure how like the real rows the synthetic rows are, and whether they copy people."""
    made, protection = _made(job), job.params["protection"]
    findings = _named(made, job, protection["mode"])
    fidelity, texts = [_utility(job)], []
    for table, sides in _texts(job).items():
        texts.append(sides)
        fidelity.append(measure_text_fidelity(table, sides.train, sides.heldout, sides.synthetic))
    if "events" in made:
        _describe_events(job, made, findings, fidelity, _below(texts))
        return
    job.write("fidelity", pl.concat(fidelity))
    told = audit_texts(_below(texts), protection["mode"], pii_findings=findings)
    job.write("audits", told)
    for name in ("embedding", "distributions"):
        job.write(name, empty_evaluation_table(name))


def _describe_events(
    job: Job,
    made: dict[str, pl.DataFrame],
    findings: pl.DataFrame | None,
    fidelity: list[pl.DataFrame],
    texts: Sides | None,
) -> None:
    """Do so where events were made, with what was found of texts."""
    train, seed = job.frame("train/events"), job.params["seed"]
    heldout, events, protection = read_heldout(job), made["events"], job.params["protection"]
    near = measure_fidelity(
        train,
        heldout,
        events,
        items=job.frame("items"),
        users=job.frame("train/users") if job.refs("train/users") else None,
        synthetic_users=made.get("users"),
        seed=seed,
    )
    job.write("fidelity", pl.concat([near, *fidelity]))
    job.write(
        "audits",
        audit_release(
            train,
            heldout,
            events,
            protection["mode"],
            users=_people(job, made.get("users")),
            texts=texts,
            canaries=_canaries(job),
            pii_findings=findings,
            **{name: protection.get(name) for name in ("epsilon", "delta", "mu")},
        ),
    )
    job.write("embedding", embed_histories(train, events, seed=seed))
    job.write("distributions", describe_distributions(train, events))


def _utility(job: Job) -> pl.DataFrame:
    """Set models that were trained on synthetic rows alone beside those of real rows."""
    tasks = {name: get_task(name) for name in job.params["tasks"]}
    return synthetic_utility(
        job.frame("metrics"),
        {name: task.metrics[0] for name, task in tasks.items()},
        {name: task.table for name, task in tasks.items()},
        job.params["cutoff"],
        metric_directions(tasks),
    )


def _made(job: Job) -> dict[str, pl.DataFrame]:
    """Read the synthetic tables of all methods, one below the other."""
    found: dict[str, list[pl.DataFrame]] = {}
    for name in job.names():
        room, _, method = name.partition("/")
        if room in ("kept", *COMPANIONS):
            table = table_of(method) if room == "kept" else room
            found.setdefault(table, []).append(job.frame(name))
    return {table: pl.concat(frames, how="diagonal") for table, frames in found.items()}


def _texts(job: Job) -> dict[str, Sides]:
    """Read the texts of methods that make texts, by table, on all three sides.

    Searches that come with events are the business of those methods and are not among them.
    """
    found = {}
    methods = [name.removeprefix("kept/") for name in job.names() if name.startswith("kept/")]
    for made, table in _TEXTS.items():
        room = "kept" if made == table else table
        names = [f"{room}/{method}" for method in methods if table_of(method) == made]
        frames = [job.frame(name).select("text") for name in names if job.refs(name)]
        if frames:
            later = [f"{part}/{table}" for part in _HELD_OUT if job.refs(f"{part}/{table}")]
            heldout = [job.frame(name).select("text") for name in later]
            train = job.frame(f"train/{table}").select("text")
            found[table] = Sides(train, pl.concat([train.clear(), *heldout]), pl.concat(frames))
    return found


def _below(sides: list[Sides]) -> Sides | None:
    """Put the texts of all tables one below the other: an audit asks all of them."""
    if not sides:
        return None
    return Sides(
        *(
            pl.concat(each)
            for each in zip(*((s.train, s.heldout, s.synthetic) for s in sides), strict=True)
        )
    )


def _named(made: dict[str, pl.DataFrame], job: Job, mode: str) -> pl.DataFrame | None:
    """Scan the tables for the people they were made from; public ids may stay what they are."""
    if mode == "public":
        return None
    return scan_release(
        made, {name: job.frame(f"train/{name}") for name in made if job.refs(f"train/{name}")}
    )


def _people(job: Job, made: pl.DataFrame | None) -> Sides | None:
    """Put users a generator saw beside those it did not; ``None`` where there are none of these."""
    parts = [f"{part}/users" for part in _HELD_OUT if job.refs(f"{part}/users")]
    if made is None or not parts:
        return None
    train = job.frame("train/users")
    later = pl.concat([job.frame(part) for part in parts]).unique("user_id", maintain_order=True)
    unseen = later.join(train, on="user_id", how="anti", maintain_order="left")
    return None if unseen.is_empty() else Sides(train, unseen, made)


def _canaries(job: Job) -> Canaries | None:
    inserted, kept_out = CANARY_PARTS
    return Canaries(job.frame(inserted), job.frame(kept_out)) if job.refs(inserted) else None
