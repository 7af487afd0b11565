"""The report stage: the evaluation becomes pictures, words and the summary.

In: the evaluation's tables and the facts of all stages. Out: ``report.html`` and ``report.md``.
"""

import json
import platform
from typing import Any

import polars as pl

from shopsynth.evaluate import SHAREABLE_AUDITS
from shopsynth.pipeline.job import Job
from shopsynth.pipeline.local import free_cores
from shopsynth.pipeline.manifest import Manifest, library_versions
from shopsynth.pipeline.recipe import Recipe
from shopsynth.pipeline.redaction import redacted
from shopsynth.pipeline.stages.base import Stage, StageContext, StageOutput, add_counts
from shopsynth.pipeline.stages.costs import merge
from shopsynth.pipeline.stages.description import first_seed
from shopsynth.pipeline.stages.design import COMBINED, REAL
from shopsynth.pipeline.stages.evaluate import read_evaluation
from shopsynth.pipeline.stages.methods import is_noise
from shopsynth.pipeline.stages.protection import protection_facts
from shopsynth.pipeline.stages.samples import read_samples
from shopsynth.pipeline.stages.train import trials_of
from shopsynth.report import ReportContext, SummaryPrivacy, build_summary, write_report
from shopsynth.schema import FURTHER, FUSED
from shopsynth.train import get_task

_HERE = "shopsynth.pipeline.stages.report"


def run(context: StageContext) -> StageOutput:
    """Collect what the stages know and render it."""
    done = context.done
    samples = first_seed(done["combine"].outputs)
    written = [ref for ref in done["generate"].outputs if ref.name.partition("/")[0] in FURTHER]
    inputs = [*done["evaluate"].outputs, *samples, *written, *done["split"].parts("items")]
    facts = {**told_facts(context.recipe, done), "registration": context.registration}
    rendered = context.verbs.fit("render", f"{_HERE}:render", inputs, **facts)
    told = {name: facts[name] for name in ("headline_model", "metric", "cutoff")}
    return StageOutput(rendered.outputs, {"summary": rendered.facts["summary"], **told})


def stage_costs(done: dict[str, Manifest], cached: frozenset[str]) -> list[dict[str, Any]]:
    """List what every stage cost, in the order in which they ran."""
    return [
        {
            "name": name,
            "wall_s": manifest.cost.wall_s,
            "cpu_s": manifest.cost.cpu_s,
            "peak_rss_mb": manifest.cost.peak_rss_mb,
            "cached": name in cached,
        }
        for name, manifest in done.items()
    ]


def told_facts(recipe: Recipe, done: dict[str, Manifest]) -> dict[str, Any]:
    """Collect everything the report tells besides the evaluation's numbers."""
    combined, generated = done["combine"].facts, done["generate"].facts
    rejects = add_counts(done[stage].facts["rejects"] for stage in ("ingest", "clean"))
    dropped: dict[str, int] = {}
    for each in combined["dropped"]:
        for reason, n in each["dropped"].items():
            dropped[reason] = dropped.get(reason, 0) + n
    return {
        "title": recipe.title,
        "created": done["evaluate"].finished_at,
        "shop": _shop_rows(done["clean"]),
        "rejects": rejects,
        "split": {**done["split"].facts, **done["split"].facts["rows"]},
        "privacy": protection_facts(recipe, done),
        "generators": [
            {
                "name": made["synthesizer"],
                "options": made["options"],
                "users": made["users"],
                "events": made["rows"],
            }
            for made in (*generated["made"], *generated["written"])
            if made["number"] == 0 and not is_noise(made["synthesizer"])
        ],
        "dose": told_dose(recipe, combined["dose"][recipe.train.tasks[0]]),
        "near_duplicates": dropped,
        "stages": stage_costs(done, frozenset()),
        "recipe": redacted(recipe.model_dump(mode="json")),
        "recipe_sha256": recipe.sha256,
        "environment": {
            **library_versions(),
            "machine": f"{platform.machine()}, {free_cores()} cores",
        },
        "costs": merge(done["train"].costs, done["combine"].costs),
        "protocol": protocol(recipe, done),
        "headline_model": recipe.train.headline,
        "metric": get_task(recipe.train.tasks[0]).metrics[0],
        "cutoff": recipe.evaluate.cutoffs[0],
    }


def told_dose(recipe: Recipe, doses: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Tell the headline model's dose, with the ratio of the recipe where fewer rows were there.

    Example:
        >>> shop = {"shop": {"items": {"path": "items.csv"}}, "train": {"headline": "markov"}}
        >>> few = Recipe.parse(shop | {"combine": {"ratio": 0.5}}, "recipe")
        >>> told_dose(few, {"markov": {"ratio": 0.275, "weight": 1.0, "sources": {}}})["wanted"]
        0.5
    """
    dose = doses[recipe.train.headline.split(FUSED)[0]]
    wanted = recipe.combine.ratio
    fewer = wanted != "auto" and dose["ratio"] < wanted
    return {**dose, "wanted": wanted if fewer else None}


def _shop_rows(cleaned: Manifest) -> dict[str, int]:
    """Count the shop's clean rows; users are counted from events where there is no table."""
    return {name: n for name, n in cleaned.facts["rows"].items() if name != "rejects"}


def protocol(recipe: Recipe, done: dict[str, Manifest]) -> dict[str, str]:
    """Say how it was measured, in one sentence a rule: the tasks' own rules, then the run's."""
    skipped = sorted(
        {f"{f['model']}: {f['skipped']}" for f in done["train"].facts["fits"] if f["skipped"]}
    )
    evaluate, n_asked = recipe.evaluate, done["evaluate"].facts["test_units"]
    seeds = (
        f"{evaluate.seeds} generator seeds, each with {evaluate.trainer_seeds} trainer seeds"
        if evaluate.trainer_seeds
        else f"{evaluate.seeds} generator seeds, each with a trainer seed of its own"
    )
    rules = {
        **_rules_of_tasks(recipe),
        "fit set": "training part only, in every arm",
        "tuning": tuning_rule(recipe),
        "split": split_rule(recipe),
        "intervals": f"95 %, bootstrap with {evaluate.resamples:,} resamples; "
        "the wider of units and seeds-then-units",
        "minimum detectable effect": "two-sided 5 %, power 80 %",
        "seeds": seeds,
        "test questions": f"{n_asked:,}",
    }
    if once := sorted(shared_draws(done["generate"])):
        rules["one draw"] = (
            f"{', '.join(once)}: one paid draw for all generator seeds, so no interval tells how "
            "another draw would differ"
        )
    return {**rules, "models left out": "; ".join(skipped)} if skipped else rules


def shared_draws(generated: Manifest) -> set[str]:
    """Name the methods whose generator seeds all had one draw, because a draw costs money."""
    seeds: dict[str, list[int]] = {}
    for made in generated.facts["made"]:
        seeds.setdefault(made["synthesizer"], []).append(made["seed"])
    return {name for name, drawn in seeds.items() if len(drawn) > len(set(drawn))}


def _rules_of_tasks(recipe: Recipe) -> dict[str, str]:
    """Let every task say how it is asked and judged; several say whose rule it is."""
    told: dict[str, str] = {}
    for name in recipe.train.tasks:
        task = get_task(name)
        described = task.describe(exclude_seen=recipe.train.exclude_seen)
        prefix = f"{name}: " if len(recipe.train.tasks) > 1 else ""
        told |= {f"{prefix}{rule}": sentence for rule, sentence in described.items()}
        told[f"{prefix}unit"] = f"one question a {task.unit}, one value a question"
    return told


def tuning_rule(recipe: Recipe) -> str:
    """Say how options and doses were chosen."""
    doses = "each model's dose by validation on combined, which its controls take over"
    if not recipe.train.trials:
        return f"options as the recipe gives them, the same in every arm; {doses}"
    table = get_task(recipe.train.tasks[0]).table
    return (
        f"{trials_of(recipe, COMBINED, table)} trials and the doses for {COMBINED}, as many trials "
        f"({trials_of(recipe, REAL, table)}) for every other arm, by validation; {doses}"
    )


def split_rule(recipe: Recipe) -> str:
    """Say how the holdout was cut, and at low data who learns and who is asked."""
    split = recipe.split
    if not split.low_data:
        return str(split.by)
    judges = f"other {split.validation_users:.0%}" if split.validation_users else "same users"
    return (
        f"{split.by}; {split.train_users:.0%} of the users train, the {judges} choose, "
        f"{split.asked_users:.0%} others are asked in test"
    )


def render(job: Job) -> dict[str, Any]:
    """Write the report's files and return the summary without the run's own costs."""
    facts = dict(job.params)
    recipe = facts.pop("recipe")
    recipe_sha256 = facts.pop("recipe_sha256")
    registration = facts.pop("registration") or None
    costs = facts.pop("costs")
    counted = [
        {"table": table, "reason": reason, "n": n}
        for table, reasons in facts.pop("rejects").items()
        for reason, n in reasons.items()
    ]
    evaluation = read_evaluation(job)
    context = ReportContext(
        **facts,
        rejects=pl.DataFrame(
            counted, schema={"table": pl.String, "reason": pl.String, "n": pl.Int64}
        ),
        recipe=json.dumps(recipe, indent=2, ensure_ascii=False),
        samples=read_samples(job),
        shareable=SHAREABLE_AUDITS,
    )
    summary = build_summary(
        evaluation,
        shop=context.shop,
        recipe_sha256=recipe_sha256,
        privacy={k: v for k, v in context.privacy.items() if k in SummaryPrivacy.model_fields},
        stages=context.stages,
        registration=registration,
        costs=costs,
    )
    job.write_folder("report", lambda folder: write_report(summary, evaluation, context, folder))
    return {"summary": summary}


STAGE = Stage(
    name="report",
    needs=("ingest", "clean", "split", "privacy", "generate", "combine", "train", "evaluate"),
    rooms=(
        "schema", "report", "pipeline.stages.report", "pipeline.stages.samples",
        "pipeline.stages.evaluate",
        "pipeline.stages.train", "pipeline.stages.design", "pipeline.stages.costs",
        "pipeline.stages.protection", "privacy.receipt", "pipeline.stages.base",
    ),
    config=lambda recipe: {
        "title": recipe.title,
        "recipe": redacted(recipe.model_dump(mode="json", exclude={"pipeline"})),
    },
    run=run,
)  # fmt: skip
