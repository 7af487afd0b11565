"""The privacy stage: the training part becomes what a synthesizer may see.

In: ``train/…`` and the shared tables. Out: the protected tables, a receipt, the ledger.
"""

from typing import Any

from shopsynth.evaluate import plant_canaries
from shopsynth.pipeline.job import Job
from shopsynth.pipeline.recipe import Recipe
from shopsynth.pipeline.stages.base import Stage, StageContext, StageOutput, read_dataset
from shopsynth.pipeline.stages.protection import CANARY_PARTS
from shopsynth.privacy import PrivacySettings, key_id, load_key, protect
from shopsynth.schema import PrivacyLedger, derived_seed, sha256_of

_HERE = "shopsynth.pipeline.stages.privacy"
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
            [ref for ref in outputs if ref.name == "events"],
            n=settings.canaries,
            seed=derived_seed(context.recipe.seed, "canaries", receipt["fingerprint"]),
        )
        outputs += planted.outputs
    return StageOutput(outputs, {"receipt": receipt, "ledger": ledger.to_json()})


def protect_bucket(job: Job) -> dict[str, Any]:
    """Protect one bucket of users and keep what a view is made of."""
    settings = PrivacySettings.parse(job.params["settings"], "privacy")
    train = read_dataset(job, "train")
    key = load_key(settings) if settings.mode in _KEYED_MODES else b""
    made = protect(train, settings, key)
    for table, frame in made.data.tables().items():
        if table == "events" or job.params["first"]:
            label = job.refs("train/events")[0].label if table == "events" else "all"
            job.write(table, frame, label)
    return {"receipt": made.receipt, "ledger": made.ledger.to_json()}


def plant(job: Job) -> None:
    """Put canary users among the protected ones: a part more of events, and who was put in."""
    _, canaries = plant_canaries(job.frame("events"), job.params["n"], job.params["seed"])
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
    config=lambda recipe: recipe.privacy.model_dump(mode="json"),
    run=run,
    sources=key_sources,
)  # fmt: skip
