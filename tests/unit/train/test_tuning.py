"""Tuning against a model whose best options are known, because we made it."""

import importlib
import json
import logging
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

import polars as pl
import pytest
from pydantic import Field

from shopsynth.schema import (
    RANKING_COLUMNS,
    SILENT,
    Dataset,
    Holdout,
    InputError,
    MissingExtraError,
    Progress,
    Ranking,
    RecipeError,
    Settings,
    TrainingSet,
)
from shopsynth.train import RANKERS, TRIAL_COLUMNS, Choice, Tuned, search_space, tune, tuning

BEST_PLACE, BEST_KIND = 0.7, "round"


class PlantedOptions(Settings):
    """One option of a range, one of a list, and one that nobody searches."""

    space: ClassVar[Mapping[str, Choice]] = {
        "place": Choice.between(0.0, 1.0),
        "kind": Choice.of("square", "round", "flat"),
    }

    place: float = Field(default=0.1, ge=0)
    kind: str = "square"
    other: int = 3


class Planted:
    """Scores best at one place of one kind; ``flat`` cannot be fitted right of .5."""

    Options: ClassVar[type[Settings]] = PlantedOptions
    fits: ClassVar[list[tuple[int, int | None]]] = []

    def __init__(self, options: Settings) -> None:
        self.options = PlantedOptions.model_validate(options)
        self.steps_ = 0

    def fit(
        self,
        training: TrainingSet,
        validation: Holdout,
        *,
        seed: int,
        steps: int | None = None,
        progress: Progress = SILENT,
    ) -> Self:
        if self.options.kind == "flat" and self.options.place > 0.5:
            raise InputError("planted: expected not to be here")
        self.fits.append((seed, steps))
        self.steps_ = 7
        return self

    def rank(self, requests: Dataset, *, k: int, exclude_seen: bool = False) -> Ranking:
        assert (k, exclude_seen) == (10, True)
        distance = abs(self.options.place - BEST_PLACE) + (self.options.kind != BEST_KIND)
        row = ("u", "i", 2.0 - distance, 1.0)
        return Ranking(pl.DataFrame([row], schema=RANKING_COLUMNS, orient="row"))

    def save(self, folder: Path) -> None:
        raise NotImplementedError

    @classmethod
    def load(cls, folder: Path) -> Self:
        raise NotImplementedError


@pytest.fixture(autouse=True)
def planted() -> Iterator[None]:
    RANKERS.register("planted")(Planted)
    Planted.fits.clear()
    yield
    del RANKERS._classes["planted"]


EVENTS = pl.DataFrame({"user_id": ["u"], "item_id": ["i"], "position": [0]})
SHOP = Dataset(items=pl.DataFrame({"item_id": ["i"]}), events=EVENTS)
TRUTH = pl.DataFrame({"unit_id": ["u"], "item_id": ["i"], "grade": [1.0]})


def top_score(ranking: Ranking) -> float:
    return float(ranking.frame["score"][0])


def tuned(trials: int, options: dict[str, Any] | None = None, **more: Any) -> Tuned:
    rows = EVENTS.with_columns(pl.lit("real").alias("origin"), pl.lit(1.0).alias("weight"))
    training = TrainingSet(Dataset(items=SHOP.items, events=rows), "real")
    validation = Holdout(SHOP, TRUTH, exclude_seen=True)
    given: dict[str, Any] = {"trials": trials, "seed": 5, "measure": top_score}
    return tune("next_item", "planted", options or {}, training, validation, **given | more)


def test_the_planted_optimum_is_found() -> None:
    found = tuned(60)
    assert found.options["kind"] == BEST_KIND
    assert found.options["place"] == pytest.approx(BEST_PLACE, abs=0.05)
    assert found.value == pytest.approx(2.0, abs=0.05)
    assert found.value == found.table["value"].fill_nan(None).max()


def test_every_trial_is_told_and_the_first_is_the_options_as_given() -> None:
    found = tuned(25, {"other": 4})
    assert dict(found.table.schema) == dict(TRIAL_COLUMNS)
    assert found.table["trial"].to_list() == list(range(25))
    first = found.table.row(0, named=True)
    assert json.loads(first["options"]) == {"kind": "square", "place": 0.1}
    assert first["value"] == pytest.approx(2.0 - 0.6 - 1.0)
    failed = found.table.filter(pl.col("failure") != "")
    assert 0 < failed.height < 25
    assert failed["value"].is_nan().all()
    assert failed["failure"].unique().to_list() == ["planted: expected not to be here"]
    assert found.options["other"] == 4


def test_the_same_seed_tries_the_same_and_another_arm_starts_the_same() -> None:
    found = tuned(16)
    assert found.table.equals(tuned(16).table, null_equal=True)
    assert not found.table.equals(tuned(16, seed=6).table)
    elsewhere = tuned(16, measure=lambda ranking: -top_score(ranking))
    tried = found.table["options"].to_list()
    assert elsewhere.table["options"].to_list()[:10] == tried[:10]
    assert elsewhere.table["options"].to_list() != tried


def test_all_fits_start_from_the_same_seed_and_take_the_steps_asked_for() -> None:
    found = tuned(8, steps=40)
    assert set(Planted.fits) == {(5, 40)}
    assert found.table.filter(pl.col("failure") == "")["steps"].unique().to_list() == [7]


def test_an_option_that_the_recipe_sets_is_not_searched() -> None:
    assert set(search_space("next_item", "planted", {"kind": "round"})) == {"place"}
    found = tuned(20, {"kind": "square"})
    assert {tuple(json.loads(row)) for row in found.table["options"]} == {("place",)}
    assert found.options["kind"] == "square"


def test_nothing_to_search_is_one_fit() -> None:
    found = tuned(9, {"kind": "round", "place": 0.5})
    assert found.table.height == len(Planted.fits) == 1
    assert found.options == {"kind": "round", "place": 0.5}
    assert found.value == pytest.approx(1.8)


def test_no_trials_leave_the_options_and_fit_nothing() -> None:
    found = tuned(0, {"other": 9})
    assert found.options == {"other": 9}
    assert math.isnan(found.value)
    assert found.table.height == len(Planted.fits) == 0


def test_the_options_as_given_win_a_draw_and_stay_as_short_as_they_were() -> None:
    found = tuned(12, {"other": 1}, measure=lambda _: 0.5)
    assert found.options == {"other": 1}


def test_defaults_outside_of_the_space_are_tried_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(PlantedOptions, "space", {"place": Choice.between(0.5, 1.0)})
    found = tuned(12)
    assert json.loads(found.table["options"][0]) == {"place": 0.1}
    assert found.table.height == 12
    assert found.options["place"] >= 0.5


def test_a_combination_is_fitted_once() -> None:
    found = tuned(30, {"place": 0.2})
    assert found.table.height == 30
    assert len(Planted.fits) == found.table["options"].n_unique() == 3


def test_options_that_cannot_be_fitted_as_given_are_an_error() -> None:
    with pytest.raises(InputError, match="planted"):
        tuned(5, {"kind": "flat", "place": 0.6})
    with pytest.raises(RecipeError, match="plaze"):
        tuned(5, {"plaze": 0.6})


def test_trials_are_told_to_the_listener_and_to_no_log(caplog: pytest.LogCaptureFixture) -> None:
    told: list[Any] = []

    class Listener:
        def start(self, label: str, total: int | None) -> None:
            told.append((label, total))

        def advance(self, steps: int = 1) -> None:
            told.append(steps)

    import optuna

    before = optuna.logging.get_verbosity()
    with caplog.at_level(logging.DEBUG):
        tuned(4, progress=Listener())
    assert told == [("tune planted", 4), 1, 1, 1, 1]
    assert caplog.records == []
    assert optuna.logging.get_verbosity() == before


def test_a_missing_optuna_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(module: str) -> Any:
        if module == "optuna":
            raise ModuleNotFoundError(module)
        return importlib.import_module(module)

    monkeypatch.setattr(tuning, "import_module", refuse)
    with pytest.raises(MissingExtraError, match=r"shopsynth\[tune\]"):
        tuned(2)
    assert tuned(0).options == {}


@pytest.mark.parametrize("name", RANKERS.names())
def test_every_space_names_options_and_holds_values_that_they_take(name: str) -> None:
    options = RANKERS.get(name).Options
    for option, choice in search_space("next_item", name, {}).items():
        assert option in options.model_fields
        default = options.model_fields[option].default
        assert choice.holds(default)
        for value in choice.values or (choice.low, choice.high):
            options.parse({option: value}, name)


def test_a_choice_without_a_choice_is_refused() -> None:
    with pytest.raises(ValueError, match="two different values"):
        Choice.of(3, 3)
    with pytest.raises(ValueError, match="low < high"):
        Choice.between(1.0, 1.0)
    with pytest.raises(ValueError, match="0 < low"):
        Choice.between(0.0, 1.0, log=True)
    assert Choice.between(0.1, 1.0).holds(1.0)
    assert not Choice.between(0.1, 1.0).holds("0.5")
