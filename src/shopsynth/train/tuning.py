"""Tuning: the same number of trials for every arm, chosen on real validation only.

In: a model's options, its search space and a training set. Out: the best options found, and what
was tried. What "best" means is the caller's: a function of a :class:`Ranking`.
"""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import polars as pl

from shopsynth.schema import (
    SILENT,
    Holdout,
    InputError,
    MissingExtraError,
    Progress,
    Ranking,
    TrainingSet,
    derived_seed,
)
from shopsynth.train.space import Choice, Value
from shopsynth.train.tasks import make_ranker, rankers

TRIAL_COLUMNS: Mapping[str, type[pl.DataType]] = {
    "trial": pl.Int64,
    "value": pl.Float64,
    "steps": pl.Int64,
    "options": pl.String,
    "failure": pl.String,
}
"""A table of trials: ``options`` as JSON, ``failure`` empty where the trial succeeded."""

_RANDOM_TRIALS = 10  # Optuna's own default: fewer observations say little about a density


@dataclass(frozen=True)
class Tuned:
    """What tuning found.

    Attributes:
        options: The best options, complete enough for :func:`make_ranker`.
        value: Their validation score; NaN where nothing was tried.
        table: Every trial, in order, with :data:`TRIAL_COLUMNS`.
    """

    options: dict[str, Any]
    value: float
    table: pl.DataFrame


def search_space(task: str, model: str, options: Mapping[str, Any]) -> dict[str, Choice]:
    """Return what would be searched: the model's space without the options that the recipe sets.

    Args:
        task: One of the tasks of the train room.
        model: Registered name of the model.
        options: The recipe's options; one that is set there is fixed.

    Example:
        >>> sorted(search_space("next_item", "item_knn", {"decay": 0.5}))
        ['neighbours', 'shrink']
    """
    space: Mapping[str, Choice] = getattr(rankers(task).get(model).Options, "space", {})
    return {name: space[name] for name in sorted(space) if name not in options}


def tune(
    task: str,
    model: str,
    options: dict[str, Any],
    training: TrainingSet,
    validation: Holdout,
    *,
    trials: int,
    seed: int,
    measure: Callable[[Ranking], float],
    k: int = 10,
    steps: int | None = None,
    progress: Progress = SILENT,
) -> Tuned:
    """Try options and keep those with the best validation score.

    Trial 0 is the options as given; of equally good trials the first is kept. Options that
    ``options`` sets are fixed and not searched. Given the same ``seed``, the first ten trials are
    the same for every arm, and all fits start from the same seed; later trials follow what the
    arm's own scores suggest. A combination that comes up again is not fitted again but counts as
    a trial.

    Args:
        task: One of the tasks of the train room.
        model: Registered name of the model; its ``Options.space`` is searched.
        options: The recipe's options for the model.
        training: The arm's rows.
        validation: Questions with real answers, never test.
        trials: How many, trial 0 included; 0 returns ``options`` unfitted.
        seed: Of the search and of every fit.
        measure: Score of a validation ranking; higher is better.
        k: Length of the ranked lists that ``measure`` wants.
        steps: As in :meth:`Ranker.fit`.
        progress: Listener; advances by trials.

    Raises:
        InputError: If the options as given cannot be fitted. A later trial that cannot is a row of
            the table.
        MissingExtraError: If Optuna is not installed.

    Source:
        Bergstra et al., Algorithms for Hyper-Parameter Optimization, NeurIPS 2011 (TPE), as in
        Optuna.
    """
    if trials == 0:
        return Tuned(options, math.nan, _table([]))
    cls = rankers(task).get(model)
    given = cls.Options.parse(options, f"train.options.{model}").model_dump()
    space = search_space(task, model, options)

    def attempt(chosen: dict[str, Value]) -> tuple[float, int]:
        ranker = make_ranker(task, model, options | chosen)
        ranker.fit(training, validation, seed=seed, steps=steps)
        ranking = ranker.rank(validation.requests, k=k, exclude_seen=validation.exclude_seen)
        return measure(ranking), ranker.steps_

    progress.start(f"tune {model}", trials)
    found = [_Trial({name: given[name] for name in space}, *attempt({}))]
    progress.advance()
    if space and trials > 1:
        with _silent_optuna() as optuna:
            search = _Search(optuna, space, derived_seed(seed, "tuning", model), found[0])
            for _ in range(1, trials):
                found.append(search.next(attempt))
                progress.advance()
    best = max((trial for trial in found if not trial.failure), key=lambda trial: trial.value)
    return Tuned(options | ({} if best is found[0] else best.chosen), best.value, _table(found))


@dataclass(frozen=True)
class _Trial:
    chosen: dict[str, Value]
    value: float
    steps: int
    failure: str = ""


class _Search:
    """Asks Optuna what to try next and tells it what came of it."""

    def __init__(self, optuna: Any, space: Mapping[str, Choice], seed: int, first: _Trial) -> None:
        self._failed = optuna.trial.TrialState.FAIL
        self._distributions = {
            name: optuna.distributions.CategoricalDistribution(choice.values)
            if choice.values
            else optuna.distributions.FloatDistribution(choice.low, choice.high, log=choice.log)
            for name, choice in space.items()
        }
        sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=_RANDOM_TRIALS)
        self._study = optuna.create_study(direction="maximize", sampler=sampler)
        self._known = {_as_json(first.chosen): first}
        # Optuna refuses a trial outside of the space; the recipe's defaults may well be.
        if all(choice.holds(first.chosen[name]) for name, choice in space.items()):
            trial = optuna.trial.create_trial(
                params=first.chosen, distributions=self._distributions, value=first.value
            )
            self._study.add_trial(trial)

    def next(self, attempt: Callable[[dict[str, Value]], tuple[float, int]]) -> _Trial:
        asked = self._study.ask(self._distributions)
        chosen = {name: _readable(value) for name, value in asked.params.items()}
        key = _as_json(chosen)
        if key not in self._known:
            self._known[key] = _outcome(chosen, attempt)
        trial = self._known[key]
        if trial.failure:
            self._study.tell(asked, state=self._failed)
        else:
            self._study.tell(asked, trial.value)
        return trial


def _outcome(
    chosen: dict[str, Value], attempt: Callable[[dict[str, Value]], tuple[float, int]]
) -> _Trial:
    try:
        return _Trial(chosen, *attempt(chosen))
    except InputError as error:
        return _Trial(chosen, math.nan, 0, str(error))


def _readable(value: Value) -> Value:
    """Round a real number to three digits, as a person would write it into a recipe."""
    return float(f"{value:.3g}") if isinstance(value, float) else value


def _as_json(chosen: dict[str, Value]) -> str:
    return json.dumps(chosen, sort_keys=True)


def _table(found: list[_Trial]) -> pl.DataFrame:
    rows = [
        (number, trial.value, trial.steps, _as_json(trial.chosen), trial.failure)
        for number, trial in enumerate(found)
    ]
    return pl.DataFrame(rows, schema=TRIAL_COLUMNS, orient="row")


@contextmanager
def _silent_optuna() -> Iterator[Any]:
    """Import Optuna and keep it from writing a line a trial; its level is set back afterwards.

    Raises:
        MissingExtraError: If it is not installed.
    """
    try:
        optuna = import_module("optuna")
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "[train] trials: expected the library Optuna, which is not installed; "
            "pip install 'shopsynth[tune]', or set trials = 0"
        ) from error
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        yield optuna
    finally:
        optuna.logging.set_verbosity(level)
