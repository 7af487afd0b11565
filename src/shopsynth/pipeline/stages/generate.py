"""The generate stage: every method of the recipe makes synthetic rows, once a seed.

In: the protected tables. Out: ``synthetic/<method>`` parts, labelled by seed.
"""

from typing import Any

from shopsynth.generate import SYNTHESIZERS, make_synthesizer
from shopsynth.pipeline.base import Task
from shopsynth.pipeline.job import Job
from shopsynth.pipeline.recipe import MAX_SIZE, GenerateSettings, Recipe
from shopsynth.pipeline.stages.base import Stage, StageContext, StageOutput, read_dataset
from shopsynth.privacy import PrivateView
from shopsynth.schema import derived_seed

_HERE = "shopsynth.pipeline.stages.generate"
NOISE = "noise"

_NOISE_SIZE = 1.5
"""Noise users per synthetic user. Cropping and masking leave .77 of a history (UCI Online Retail):
with as many users the control would be smaller than the dose it is to match."""


def entries(recipe: Recipe) -> tuple[GenerateSettings, ...]:
    """List the methods to run: the recipe's, and noise if it is a control."""
    wanted = recipe.generate
    if NOISE in recipe.evaluate.controls and all(e.synthesizer != NOISE for e in wanted):
        size = min(MAX_SIZE, _NOISE_SIZE * sum(entry.size for entry in wanted))
        return (*wanted, GenerateSettings(synthesizer=NOISE, size=size))
    return wanted


def run(context: StageContext) -> StageOutput:
    """Fit and sample every method once a seed."""
    recipe, verbs = context.recipe, context.verbs
    protected = context.done["privacy"]
    tasks: list[Task] = [
        verbs.task(
            f"{_HERE}:generate_one",
            protected.outputs,
            entry=entry.model_dump(mode="json"),
            code=SYNTHESIZERS.source_sha256(entry.synthesizer),
            receipt=protected.facts["receipt"],
            number=number,
            seed=derived_seed(recipe.seed, "generate", entry.synthesizer, number),
        )
        for entry in entries(recipe)
        for number in range(recipe.evaluate.seeds)
    ]
    results = verbs.map("synthesize", tasks)
    outputs = tuple(ref for result in results for ref in result.outputs)
    return StageOutput(outputs, {"made": [result.facts for result in results]})


def generate_one(job: Job) -> dict[str, Any]:
    """Fit one method on the view and sample from it."""
    entry = GenerateSettings.parse(job.params["entry"], "generate")
    view = PrivateView(read_dataset(job), **job.params["receipt"])
    seed = job.params["seed"]
    method = make_synthesizer(entry.synthesizer, entry.options)
    method.fit(view, seed=derived_seed(seed, "fit"), progress=job.progress)
    n_users = max(1, round(entry.size * view.n_users))
    made = method.sample(n_users, seed=derived_seed(seed, "sample"), progress=job.progress)
    for table, frame in made.data.tables().items():
        if table == entry.table:
            job.write(f"synthetic/{entry.synthesizer}", frame, str(job.params["number"]))
    return {
        "synthesizer": made.synthesizer,
        "number": job.params["number"],
        "seed": made.seed,
        "config_sha256": made.config_sha256,
        "source_sha256": made.source_sha256,
        "options": method.Options.parse(entry.options, "generate").model_dump(mode="json"),
        "users": n_users,
        "rows": made.data.need(entry.table).height,
    }


STAGE = Stage(
    name="generate",
    needs=("privacy",),
    rooms=("schema", "privacy", "generate", "pipeline.stages.generate", "pipeline.stages.base"),
    config=lambda recipe: {
        "entries": [entry.model_dump(mode="json") for entry in entries(recipe)],
        "code": [SYNTHESIZERS.source_sha256(entry.synthesizer) for entry in entries(recipe)],
        "seeds": recipe.evaluate.seeds,
        "seed": recipe.seed,
    },
    run=run,
)
