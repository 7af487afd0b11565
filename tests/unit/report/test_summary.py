"""summary.json: exactly the contract, with nothing rounded and nothing that JSON cannot hold."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from shopsynth.report import Summary, build_summary, parse_summary, summary_schema
from shopsynth.schema import (
    EVALUATION_COLUMNS,
    Evaluation,
    SchemaError,
    empty_evaluation_table,
)

GOLDEN = Path(__file__).parents[2] / "golden" / "summary.json"

METRIC = ["task", "model", "arm", "metric", "cutoff", "slice", "value", "low", "high", "units",
          "seeds"]  # fmt: skip
UPLIFT = ["task", "model", "metric", "cutoff", "slice", "arm", "against", "absolute", "relative",
          "low", "high", "p_holm", "mde", "verdict", "role", "seeds", "seeds_agree"]  # fmt: skip
REGISTRATION = {
    "plan_sha256": "5eed", "registered_at": "2026-11-30T08:00:00Z", "looks": 2, "look": 2,
    "exploratory": True, "reason": "the test part was read before",
}  # fmt: skip
COST = {
    "task": "next_item", "arm": "real", "model": "sasrec", "fits": 3, "failed": 1, "trials": 8,
    "steps": 900, "rows": 4000, "cpu_s": 12.5, "wall_s": float("nan"), "peak_rss_mb": 410.0,
    "reason": "too few histories",
}  # fmt: skip


def tiny_evaluation(verdict: str = "helps") -> Evaluation:
    tables = {name: empty_evaluation_table(name) for name in EVALUATION_COLUMNS}
    rows = {
        "metrics": [["next_item", "sasrec", "real", "ndcg", 10, "all", 0.1 + 0.2, 0.25,
                     float("inf"), 7, 3]],
        "uplift": [["next_item", "sasrec", "ndcg", 10, "all", "combined", "real", 0.01,
                    float("nan"), -0.01, 0.03, 0.04, 0.02, verdict,
                    "primary", 3, 2]],
        "fidelity": [["events", "item coverage", 0.5, float("nan")]],
        "audits": [["copies", 0.2, None, True, "cannot see one copy"]],
    }  # fmt: skip
    tables |= {
        name: pl.DataFrame(values, schema=EVALUATION_COLUMNS[name], orient="row")
        for name, values in rows.items()
    }
    return Evaluation(**tables)


def tiny_summary(verdict: str = "helps", **more: Any) -> dict[str, Any]:
    return build_summary(
        tiny_evaluation(verdict),
        shop={"items": 2, "users": 7, "events": 30},
        recipe_sha256="c0ffee",
        privacy={"mode": "deidentify", "unit": "user", "epsilon": None, "delta": None},
        stages=[
            {"name": "ingest", "wall_s": 1.5, "cpu_s": 2.5, "peak_rss_mb": 99.0, "cached": False}
        ],
        **more,
    )


def test_the_golden_summary_has_not_changed():
    assert json.loads(GOLDEN.read_text(encoding="utf-8")) == tiny_summary()


def test_keys_stand_in_the_order_of_the_design():
    summary = json.loads(json.dumps(tiny_summary(), allow_nan=False))
    assert list(summary) == ["version", "shop", "recipe_sha256", "metrics", "uplift", "fidelity",
                             "privacy", "stages", "hypotheses", "registration",
                             "costs"]  # fmt: skip
    assert list(summary["metrics"][0]) == METRIC
    assert list(summary["uplift"][0]) == UPLIFT
    assert list(summary["fidelity"][0]) == ["table", "metric", "value", "ceiling"]
    assert list(summary["privacy"]) == [
        "mode", "unit", "epsilon", "delta", "audits", "release", "mu", "naive_epsilon",
        "mechanisms", "budget", "source_id", "source_epsilon", "other_plans", "users_bound",
        "max_events_per_user", "guarantee", "guarantee_zh",
    ]  # fmt: skip
    assert list(summary["privacy"]["audits"][0]) == [
        "name", "value", "threshold", "passed", "power"
    ]  # fmt: skip


def test_a_summary_written_before_plans_were_registered_is_still_valid():
    older = tiny_summary()
    for name in ("hypotheses", "registration", "costs"):
        del older[name]
    for row in older["uplift"]:
        for name in ("role", "seeds", "seeds_agree"):
            del row[name]
    parsed = parse_summary(older)
    assert (parsed.hypotheses, parsed.registration, parsed.costs) == ((), None, ())
    assert parsed.uplift[0].role is None


def test_registration_and_costs_are_told():
    summary = tiny_summary(registration=REGISTRATION, costs=[COST])
    assert summary["registration"] == REGISTRATION
    assert summary["costs"] == [{**COST, "wall_s": None}]
    with pytest.raises(SchemaError, match=r"registration\.looks"):
        tiny_summary(registration={**REGISTRATION, "looks": None})


def test_numbers_are_not_rounded_and_missing_ones_are_null():
    summary = parse_summary(tiny_summary())
    assert summary.metrics[0].value == 0.1 + 0.2
    assert summary.metrics[0].high is None
    assert summary.uplift[0].relative is None
    assert summary.fidelity[0].ceiling is None


def test_the_published_schema_is_the_one_of_the_models():
    published = summary_schema()
    assert published.pop("$schema") == "https://json-schema.org/draft/2020-12/schema"
    assert published == Summary.model_json_schema()


def test_every_field_of_the_published_schema_is_described():
    schema = summary_schema()
    parts = [schema, *schema["$defs"].values()]
    fields = [
        (part["title"], name, field) for part in parts for name, field in part["properties"].items()
    ]
    assert len(fields) > 40
    assert [f"{part}.{name}" for part, name, field in fields if not field.get("description")] == []


def test_a_realistic_evaluation_survives_a_round_trip(make_evaluation, context, summarise):
    summary = summarise(make_evaluation(), context)
    assert (
        parse_summary(json.loads(json.dumps(summary, allow_nan=False))).model_dump(mode="json")
        == summary
    )
    assert len(summary["uplift"]) == make_evaluation().uplift.height


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"version": 2}, "version"),
        ({"surprise": 1}, "surprise"),
        ({"shop": {"items": "many"}}, "shop.items"),
        ({"stages": [{"name": "clean"}]}, "stages.0.wall_s"),
    ],
)
def test_a_broken_contract_is_refused_with_its_place(change, place):
    with pytest.raises(SchemaError, match=r"summary\.json") as caught:
        parse_summary({**tiny_summary(), **change})
    assert place in str(caught.value)


def test_all_faults_come_at_once_and_without_values():
    broken = {**tiny_summary(), "version": 2, "recipe_sha256": ["secret"]}
    with pytest.raises(SchemaError) as caught:
        parse_summary(broken)
    assert "2 faults" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_an_unknown_verdict_is_refused():
    with pytest.raises(SchemaError, match=r"uplift\.0\.verdict"):
        tiny_summary("promising")
