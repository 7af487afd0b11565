"""The generate stage: every method of the recipe makes synthetic rows, once a seed.

In: the protected tables. Out: ``synthetic/<method>`` parts, labelled by seed, ``users/<method>``
and ``queries/<method>`` where the shop has such tables; ``<further table>/<method>`` of what is
written about items, and ``rejects/<method>`` of what a method did not let pass; in mode ``dp`` what
was spent.
"""

import math
from typing import Any

from shopsynth.generate import (
    SYNTHESIZERS,
    attributes_left_out,
    make_synthesizer,
    sample_parts,
)
from shopsynth.pipeline.base import Task, TaskResult
from shopsynth.pipeline.job import Job
from shopsynth.pipeline.recipe import GenerateSettings, Recipe
from shopsynth.pipeline.sources import source_name
from shopsynth.pipeline.stages.base import (
    Stage,
    StageContext,
    StageOutput,
    count_rejects,
    read_dataset,
)
from shopsynth.pipeline.stages.methods import (
    all_files,
    draw_seed,
    drawn_once,
    entries,
    files_of,
    is_further,
    is_noise,
    located,
    table_of,
)
from shopsynth.privacy import PrivacySettings, PrivateView, Purse, load_key, open_till
from shopsynth.privacy.mechanisms import DPQuantiles
from shopsynth.privacy.population import sketch_population
from shopsynth.schema import COMPANIONS, FURTHER, SyntheticDataset, derived_seed

_HERE = "shopsynth.pipeline.stages.generate"
_BOUND_SHARE = 0.05
"""Of a run's squared mu for the bound on events: one coarse question, answered once."""

_KEPT_WHOLE = 0.95
"""Share of users whose events the bought bound keeps whole; noise grows with it, bias shrinks."""

_BIN_GROWTH = 1.25
"""Of the bins that the bound is read from."""

_SPARE = 1e-6
"""Of mu, left over: the grid's slack must not carry a question over its allowance."""


def run(context: StageContext) -> StageOutput:
    """Fit and sample every method once a seed; what spends budget is fitted once for all seeds."""
    recipe, verbs = context.recipe, context.verbs
    protected = context.done["privacy"]
    wanted = [located(entry, recipe) for entry in entries(recipe)]
    spending = [entry.synthesizer for entry in wanted if _spends(entry, recipe)]
    bought = _buy_bound(context)
    receipt = {**protected.facts["receipt"], **(bought.facts["bound"] if bought else {})}
    tasks: list[Task] = [
        verbs.task(
            f"{_HERE}:generate_one",
            protected.outputs,
            entry=entry.model_dump(mode="json"),
            files=files_of(entry),
            code=SYNTHESIZERS.source_sha256(entry.synthesizer),
            receipt=receipt,
            budget=_budget(recipe, _share(recipe) / len(spending))
            if entry.synthesizer in spending
            else None,
            numbers=numbers,
            seeds=[
                draw_seed(recipe, entry.synthesizer, 0 if once else number) for number in numbers
            ],
        )
        for entry in wanted
        for once in (drawn_once(entry),)
        for numbers in _rounds(recipe, entry, whole=once or entry.synthesizer in spending)
    ]
    results = verbs.map("synthesize", tasks)
    outputs = tuple(ref for result in results for ref in result.outputs)
    told = [facts for result in results for facts in result.facts["made"]]
    spent = [*([bought] if bought else []), *results]
    facts = {
        "made": [each for each in told if each["table"] not in FURTHER],
        "written": [each for each in told if each["table"] in FURTHER],
        "max_events_per_user": receipt["max_events_per_user"],
        "paid": [charge for result in spent for charge in result.facts["paid"]],
        "plans": sum(result.facts["plans"] for result in spent),
        "ledger": _fullest([r.facts["ledger"] for r in spent if r.facts["ledger"]]),
    }
    return StageOutput(outputs, facts)


def _buy_bound(context: StageContext) -> TaskResult | None:
    """Buy the bound on a user's events, where the recipe asks for it; else it is declared."""
    recipe, protected = context.recipe, context.done["privacy"]
    if recipe.privacy.mode != "dp" or recipe.privacy.bound == "declared":
        return None
    return context.verbs.fit(
        "buy the bound",
        f"{_HERE}:buy_bound",
        protected.outputs,
        receipt=protected.facts["receipt"],
        budget=_budget(recipe, _BOUND_SHARE),
    )


def _share(recipe: Recipe) -> float:
    """Return the part of a run's squared mu that is left for its methods."""
    return 1.0 - (_BOUND_SHARE if recipe.privacy.bound == "bought" else 0.0)


def _spends(entry: GenerateSettings, recipe: Recipe) -> bool:
    """Say whether a method pays for what it learns; the control is never released, so it does not.

    Noise needs rows. It is a control inside the shop, as the real rows of every arm are.
    """
    return recipe.privacy.mode == "dp" and not is_noise(entry.synthesizer)


def _rounds(recipe: Recipe, entry: GenerateSettings, *, whole: bool) -> list[list[int]]:
    """Group the seeds into fits: sampling again is free where fitting is paid for.

    What no arm is mixed of is made once: nothing about it varies with a seed that anybody judges.
    """
    if is_further(entry.synthesizer):
        return [[0]]
    numbers = list(range(recipe.evaluate.seeds))
    return [numbers] if whole else [[number] for number in numbers]


def _budget(recipe: Recipe, share: float) -> dict[str, Any]:
    return {
        "settings": recipe.privacy.model_dump(mode="json"),
        "source": source_name(recipe),
        "share": share,
    }


def _fullest(ledgers: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Take the snapshot with the most entries: all are of one ledger that only grows."""
    return max(ledgers, key=lambda ledger: len(ledger["entries"]), default=None)


def buy_bound(job: Job) -> dict[str, Any]:
    """Ask how many events all but a few users stay below, over public bins."""
    view, purse = _open(job, "bound on events")
    most = view.max_events_per_user
    edges = [1.0]
    while edges[-1] < most:
        edges.append(min(float(most), max(edges[-1] + 1, round(edges[-1] * _BIN_GROWTH))))
    noise_multiplier = (1 + _SPARE) / view.allowance
    ask = DPQuantiles("n_events", (*edges, most + 1.0), (_KEPT_WHOLE,), noise_multiplier)
    ((found,),) = view.buy([ask])
    bound = min(most, math.ceil(found))
    return {"bound": {"max_events_per_user": bound}, **_spent(purse)}


def generate_one(job: Job) -> dict[str, Any]:
    """Fit one method on the view and sample from it, once a seed."""
    entry = GenerateSettings.parse(job.params["entry"], "generate")
    numbers, seeds = job.params["numbers"], job.params["seeds"]
    view, purse = _open(job, entry.synthesizer)
    method = make_synthesizer(entry.synthesizer, entry.options)
    method.fit(view, seed=derived_seed(seeds[0], "fit"), progress=job.progress)
    table = table_of(entry.synthesizer)
    wanted = max(1, round(entry.size * view.n_owners(table)))
    left_out = attributes_left_out(view)
    facts = []
    for number, seed in zip(numbers, seeds, strict=True):
        n_rows, rejected = 0, dict[str, int]()
        for made in sample_parts(
            method, wanted, seed=derived_seed(seed, "sample"), progress=job.progress
        ):
            n_rows += _write(job, made, table, str(number))
            for reasons in count_rejects(made.rejects).values():
                rejected |= {why: rejected.get(why, 0) + n for why, n in reasons.items()}
        facts.append(
            {
                "synthesizer": made.synthesizer,
                "number": number,
                "seed": made.seed,
                "config_sha256": made.config_sha256,
                "source_sha256": made.source_sha256,
                "options": method.Options.parse(entry.options, "generate").model_dump(mode="json"),
                "table": table,
                "users": wanted,
                "rows": n_rows,
                "rejected": rejected,
                "attributes_left_out": left_out,
            }
        )
    return {"made": facts, **_spent(purse)}


def _write(job: Job, made: SyntheticDataset, table: str, label: str) -> int:
    """Keep a method's main table, what comes with it and what it rejected; count its rows."""
    rows = made.need(table)
    if table not in FURTHER:
        job.write(f"synthetic/{made.synthesizer}", rows, label)
    companions = {name: made.data.tables().get(name) for name in COMPANIONS}
    for name, frame in {**companions, **made.further}.items():
        if frame is not None:
            job.write(f"{name}/{made.synthesizer}", frame, label)
    if made.rejects.height:
        job.write(f"rejects/{made.synthesizer}", made.rejects, label)
    return rows.height


def _spent(purse: Purse | None) -> dict[str, Any]:
    """Tell what was paid from a purse, and what the source has cost so far."""
    if purse is None:
        return {"paid": [], "plans": 0, "ledger": None}
    return {
        "paid": [{"actor": purse.actor, "charge": charge.to_json()} for charge in purse.paid],
        "plans": purse.n_plans,
        "ledger": {"source": purse.till.source, **purse.till.snapshot().to_json()},
    }


def _open(job: Job, actor: str) -> tuple[PrivateView, Purse | None]:
    receipt, budget = job.params["receipt"], job.params["budget"]
    data = read_dataset(job)
    if budget is None:
        if receipt["mode"] != "dp":
            return PrivateView(data, **receipt), None
        # The control of mode dp makes events alone, as the methods that pay do.
        events = data.with_tables(users=None, queries=None)
        return PrivateView(events, **{**receipt, "mode": "deidentify"}), None
    settings = PrivacySettings.parse(budget["settings"], "privacy")
    till = open_till(
        settings,
        load_key(settings),
        source_name=budget["source"],
        fingerprint=receipt["fingerprint"],
        population=sketch_population(data),
    )
    purse = Purse(till, budget["share"], actor)
    return PrivateView(data, purse=purse, **receipt), purse


STAGE = Stage(
    name="generate",
    needs=("privacy",),
    rooms=(
        "schema",
        "text",
        "privacy",
        "generate",
        "pipeline.stages.generate",
        "pipeline.stages.methods",
        "pipeline.stages.base",
    ),
    config=lambda recipe: {
        "entries": [entry.model_dump(mode="json") for entry in entries(recipe)],
        "code": [SYNTHESIZERS.source_sha256(entry.synthesizer) for entry in entries(recipe)],
        "seeds": recipe.evaluate.seeds,
        "seed": recipe.seed,
        "budget": _budget(recipe, _share(recipe)) if recipe.privacy.mode == "dp" else None,
    },
    run=run,
    sources=all_files,
)
