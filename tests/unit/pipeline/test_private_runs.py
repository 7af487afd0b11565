"""What mode dp refuses before a row is read, and what the ledger calls a shop."""

import pytest

from fakes.shops import write_tiny_shop
from shopsynth.pipeline import make_recipe, run
from shopsynth.pipeline.private_runs import check_private_run
from shopsynth.pipeline.sources import source_name
from shopsynth.schema import PrivacyError

TOLD = {"encoding": "utf-8", "delimiter": ",", "header": True, "date_format": "%Y-%m-%dT%H:%M:%S"}
SHOP = {"items": {"path": "items.csv"}, "events": {"path": "events.csv", **TOLD}}
PRIVATE = {"mode": "dp", "epsilon": 1.0, "users": 1000}
DATES = {"validation_from": "2030-01-01", "test_from": "2030-02-01"}


NAMED = {**PRIVATE, "source": "tiny shop"}


def recipe(base, shop=None, **blocks):
    return make_recipe({"shop": shop or SHOP, "privacy": PRIVATE, **blocks}, base=base)


def test_public_facts_pass(tmp_path):
    check_private_run(recipe(tmp_path, split={"by": "leave_one_out"}, privacy=NAMED))
    check_private_run(recipe(tmp_path, split=DATES, privacy=NAMED))


def test_every_fault_is_told_at_once(tmp_path):
    asked = recipe(
        tmp_path,
        shop={"events": {"path": "events.csv"}},
        clean={"cleaners": ["missing_values", "duplicate_items", "orphans", "strange"]},
    )
    with pytest.raises(PrivacyError) as told:
        check_private_run(asked)
    for word in ("privacy.source", "shop.items", "split.by = 'time'", "clean.cleaners: strange"):
        assert word in str(told.value)


@pytest.mark.parametrize("fact", sorted(TOLD))
def test_text_that_people_wrote_is_declared(tmp_path, fact):
    told = {key: value for key, value in TOLD.items() if key != fact}
    with pytest.raises(PrivacyError) as fault:
        check_private_run(
            recipe(tmp_path, _events({"path": "e.csv", **told}), split=DATES, privacy=NAMED)
        )
    assert f"shop.events.{fact}: mode dp expects it declared, got none" in str(fault.value)
    assert str(fault.value).count("declared") == 1


def _events(source):
    return {"items": {"path": "items.csv"}, "events": source}


@pytest.mark.parametrize(
    ("source", "faults"),
    [
        ({"path": "events.parquet"}, []),
        ({"path": "postgresql://db/shop", "table": "events"}, []),
        ({"path": "days", "format": "parquet"}, []),
        ({"path": "e.csv", **TOLD, "header": False}, ["header"]),
        ({"path": "e.jsonl.gz"}, ["columns", "date_format"]),
        ({"path": "e.jsonl", "columns": {"user_id": "u", "position": "n"}}, []),
        ({"path": "e.inter"}, ["encoding", "date_format"]),
        ({"path": "e.tsv", "columns": {"user_id": "u"}}, ["encoding", "delimiter", "header"]),
        (
            {"path": "e.parquet", "joins": [{"path": "orders.csv", "on": "order"}]},
            ["encoding", "delimiter", "header", "date_format"],
        ),
    ],
)
def test_only_what_rows_would_decide_is_asked_for(tmp_path, source, faults):
    asked = recipe(tmp_path, _events(source), split=DATES, privacy=NAMED)
    if not faults:
        check_private_run(asked)
        return
    with pytest.raises(PrivacyError) as fault:
        check_private_run(asked)
    assert str(fault.value).count("shop.events.") == len(faults)
    for name in faults:
        assert f"shop.events.{name}: " in str(fault.value)


def test_the_stage_reads_literally_in_mode_dp_alone(tmp_path):
    path = write_tiny_shop(tmp_path)
    dp = ('privacy.mode="dp"', "pipeline.executor=inline")
    with pytest.raises(PrivacyError, match=r"shop\.events\.encoding"):
        run(path, tmp_path / "w", until="ingest", overrides=dp)
    told = [
        f"shop.events.{key}={str(v).lower() if v is True else repr(v)}" for key, v in TOLD.items()
    ]
    done = run(path, tmp_path / "w", until="ingest", overrides=(*dp, *told))
    assert done.manifests["ingest"].facts["rows"]["events"] > 0
    assert done.manifests["ingest"].config["literal"] is True
    plain = run(path, tmp_path / "plain", until="ingest", overrides=dp[1:])
    assert plain.manifests["ingest"].config["literal"] is False


def test_a_table_without_times_needs_no_date_format(tmp_path):
    told = {key: value for key, value in TOLD.items() if key != "date_format"}
    shop = {**SHOP, "users": {"path": "users.csv", **told}}
    check_private_run(recipe(tmp_path, shop, split=DATES, privacy=NAMED))


def test_a_catalogue_read_from_order_lines_is_refused(tmp_path):
    lines = {"path": "./orders.csv", "columns": {"item_id": "sku"}}
    orders = {"path": "orders.csv", "columns": {"user_id": "who", "item_id": "sku"}}
    for shop in (
        {"items": lines, "events": orders},
        {"items": lines, "events": {"path": "events.csv"}, "reviews": orders},
    ):
        with pytest.raises(PrivacyError, match=r"shop\.items.*what people bought"):
            check_private_run(recipe(tmp_path, shop=shop, split=DATES, privacy=NAMED))
    tables = [{"path": "sqlite:///shop.db", "table": name} for name in ("goods", "orders")]
    two = dict(zip(("items", "events"), tables, strict=True))
    check_private_run(recipe(tmp_path, shop=two, split=DATES, privacy=NAMED))


def test_other_modes_are_left_alone(tmp_path):
    check_private_run(
        recipe(tmp_path, shop={"events": {"path": "e.csv"}}, privacy={"mode": "public"})
    )


def test_a_source_has_the_name_that_its_recipe_gives_it_and_no_other(tmp_path):
    assert source_name(recipe(tmp_path, privacy=NAMED)) == "tiny shop"
    with pytest.raises(PrivacyError, match=r"privacy\.source.*got none"):
        source_name(recipe(tmp_path))


def test_noise_takes_no_seed(tmp_path):
    from shopsynth.schema import RecipeError

    with pytest.raises(RecipeError, match="take no seed"):
        recipe(tmp_path, privacy={**PRIVATE, "noise_seed": 7})
