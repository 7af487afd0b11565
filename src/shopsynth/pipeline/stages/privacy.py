"""The privacy stage: the training part becomes what a synthesizer may see.

In: ``train/…`` and the shared tables. Out: the protected tables, a receipt, the ledger.
"""

import os
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from shopsynth.evaluate import plant_canaries, public_canaries
from shopsynth.pipeline.job import Job
from shopsynth.pipeline.recipe import Recipe
from shopsynth.pipeline.stages.base import Stage, StageContext, StageOutput, read_dataset
from shopsynth.pipeline.stages.protection import CANARY_PARTS
from shopsynth.privacy import PrivacySettings, key_id, load_key, protect
from shopsynth.schema import Dataset, PrivacyLedger, derived_seed, sha256_of

_HERE = "shopsynth.pipeline.stages.privacy"
_A_YEAR = timedelta(days=365)

_KEYED_MODES = ("deidentify", "dp")


def key_sources(recipe: Recipe) -> dict[str, str]:
    """Name the pseudonym key without telling it, so that another key makes another view."""
    if recipe.privacy.mode not in _KEYED_MODES:
        return {}
    return {"pseudonym_key": key_id(load_key(recipe.privacy))}


def run(context: StageContext) -> StageOutput:
    """Protect every bucket of users; the catalogue is public and stays one part."""
    verbs, split = context.verbs, context.done["split"]
    settings = context.recipe.privacy
    params: dict[str, Any] = {
        "settings": settings.model_dump(mode="json"),
        "key": key_sources(context.recipe),
    }
    shared = split.parts("items", "train/users", "train/reviews", "train/queries")
    if settings.mode != "dp":  # Whose searches are common is a fact about people: to be bought.
        shared = (*shared, *split.parts("queries", "train/judgments"))
    buckets = split.parts("train/events") or (None,)
    tasks = [
        verbs.task(
            f"{_HERE}:protect_bucket",
            [*shared, *([part] if part else [])],
            first=number == 0,
            **params,
        )
        for number, part in enumerate(buckets)
    ]
    results = verbs.map("protect", tasks)
    ledger = PrivacyLedger(settings.mode, settings.unit)
    for result in results:
        for entry in PrivacyLedger.from_json(result.facts["ledger"]).entries:
            ledger = ledger.with_entry(entry)
    receipts = [result.facts["receipt"] for result in results]
    receipt = {
        **receipts[0],
        "fingerprint": sha256_of([each["fingerprint"] for each in receipts]),
    }
    outputs = tuple(ref for result in results for ref in result.outputs)
    if settings.canaries and any(ref.name == "events" for ref in outputs):
        planted = verbs.fit(
            "plant canaries",
            f"{_HERE}:plant",
            [ref for ref in outputs if ref.name in ("items", "events")],
            n=settings.canaries,
            seed=derived_seed(context.recipe.seed, "canaries", receipt["fingerprint"]),
            private=settings.mode == "dp",
            period=_public_period(context.recipe),
        )
        outputs += planted.outputs
    return StageOutput(outputs, {"receipt": receipt, "ledger": ledger.to_json()})


def protect_bucket(job: Job) -> dict[str, Any]:
    """Protect one bucket of users and keep what a view is made of.

    Queries that no split cuts come with the events that point to them: the others may be of the
    future.
    """
    settings = PrivacySettings.parse(job.params["settings"], "privacy")
    train = read_dataset(job, "train")
    by_bucket = {"events"}
    if job.refs("queries"):
        by_bucket.add("queries")
        train = train.with_tables(queries=_asked(train))
    key = load_key(settings) if settings.mode in _KEYED_MODES else b""
    made = protect(train, settings, key)
    for table, frame in made.data.tables().items():
        if table in by_bucket or job.params["first"]:
            bucket = table in by_bucket and bool(job.refs("train/events"))
            job.write(table, frame, job.refs("train/events")[0].label if bucket else "all")
    return {"receipt": made.receipt, "ledger": made.ledger.to_json()}


def _asked(train: Dataset) -> pl.DataFrame | None:
    """Return the queries that training events point to, ``None`` where none can."""
    if train.queries is None or train.events is None or "query_id" not in train.events.columns:
        return None
    ids = train.events.select("query_id").drop_nulls()
    return train.queries.join(ids, on="query_id", how="semi", maintain_order="left")


def _public_period(recipe: Recipe) -> list[str] | None:
    """Return a period that the recipe declares, for canaries that depend on nobody's rows."""
    for entry in recipe.generate:
        given = (entry.options.get(name) for name in ("period_start", "period_end"))
        ends = [end for end in given if isinstance(end, datetime)]
        if len(ends) == 2:
            return [str(end if end.tzinfo else end.replace(tzinfo=UTC)) for end in ends]
    if (until := recipe.split.validation_from) is not None:
        return [str(until - _A_YEAR), str(until)]
    return None


def plant(job: Job) -> None:
    """Put canary users among the protected ones: a part more of events, and who was put in."""
    events, params = job.frame("events"), job.params
    if params["private"]:
        # No seed of the recipe's: who knows the coins knows what the audit is about.
        period = params["period"] and tuple(map(datetime.fromisoformat, params["period"]))
        seed = int.from_bytes(os.urandom(8))
        canaries = public_canaries(
            job.frame("items"), events.schema, params["n"], seed, period or None
        )
    else:
        _, canaries = plant_canaries(events, params["n"], params["seed"])
    job.write("events", canaries.inserted, "canaries")
    for name, frame in zip(CANARY_PARTS, (canaries.inserted, canaries.kept_out), strict=True):
        job.write(name, frame)


STAGE = Stage(
    name="privacy",
    needs=("split",),
    rooms=(
        "schema", "privacy", "evaluate.attacks",
        "pipeline.stages.privacy", "pipeline.stages.protection", "pipeline.stages.base",
    ),
    config=lambda recipe: {
        **recipe.privacy.model_dump(mode="json"),
        **({"period": _public_period(recipe)} if recipe.privacy.canaries else {}),
    },
    run=run,
    sources=key_sources,
)  # fmt: skip
