"""What mode dp refuses before a row is read, and what the ledger calls a shop."""

import pytest

from shopsynth.pipeline import make_recipe
from shopsynth.pipeline.private_runs import check_private_run
from shopsynth.pipeline.sources import source_name
from shopsynth.schema import PrivacyError

SHOP = {"items": {"path": "items.csv"}, "events": {"path": "events.csv"}}
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


def test_a_source_keeps_its_name_when_budget_and_split_change(tmp_path):
    first = source_name(recipe(tmp_path))
    again = source_name(recipe(tmp_path, split=DATES, privacy={**PRIVATE, "epsilon": 2.0}))
    assert first == again
    assert first.startswith("shop-")


def test_other_files_are_another_source_unless_it_is_named(tmp_path):
    moved = recipe(tmp_path / "elsewhere")
    assert source_name(moved) != source_name(recipe(tmp_path))
    named = {**PRIVATE, "source": "the shop"}
    assert source_name(recipe(tmp_path, privacy=named)) == "the shop"


def test_a_database_is_named_without_its_login(tmp_path):
    def of(url):
        return source_name(recipe(tmp_path, shop={"events": {"path": url, "table": "events"}}))

    assert of("postgresql://ann:secret@db/shop") == of("postgresql://bob:other@db/shop")
    assert of("postgresql://ann@db/shop") != of("postgresql://ann@db/other")


def test_noise_takes_no_seed(tmp_path):
    from shopsynth.schema import RecipeError

    with pytest.raises(RecipeError, match="take no seed"):
        recipe(tmp_path, privacy={**PRIVATE, "noise_seed": 7})
