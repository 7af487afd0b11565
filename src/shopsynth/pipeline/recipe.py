"""Recipe: the one file that says what a run does.

In: TOML text, ``--set`` overrides. Out: a frozen, checked :class:`Recipe`.
"""

import tomllib
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, PrivateAttr, model_validator

from shopsynth.clean import CleanSettings
from shopsynth.combine import CombineSettings
from shopsynth.evaluate import EvaluateSettings, ProveSettings
from shopsynth.ingest import ShopSettings
from shopsynth.pipeline.redaction import redacted
from shopsynth.privacy import PrivacySettings
from shopsynth.schema import RecipeError, Settings, nearest, sha256_of
from shopsynth.split import SplitSettings
from shopsynth.train import TrainSettings

_MAX_RECIPE_BYTES = 1 << 20

HOUSE_ARMS = ("real", "combined", "synthetic")
"""The arms of every run; controls come on top of them."""

MAX_SIZE = 100
"""Synthetic users per real user beyond which nobody trains."""


class GenerateSettings(Settings):
    """One ``[[generate]]`` entry: a method and how much it makes."""

    synthesizer: str
    """Registered name of a synthesizer or an augmenter."""

    table: (
        Literal["events", "judgments", "reviews", "item_texts", "adverts", "dialogues"] | None
    ) = None
    """The table it makes, for the reader; a method makes one table and refuses another."""

    size: float = Field(default=1.0, gt=0, le=MAX_SIZE)
    """Synthetic users per real training user; of methods that make queries or reviews, these per
    real training query (per item in a shop without any) or review; of what is written about items,
    texts, adverts or dialogues per item."""

    options: dict[str, Any] = Field(default_factory=dict)
    """The method's own options."""


class PipelineSettings(Settings):
    """How the work is run; nothing here changes a result but the last digits of sums."""

    executor: str = "local"
    """local: processes of this machine; inline: one task after the other, for debugging."""

    workers: int = Field(default=0, ge=0)
    """Worker processes; 0 takes one a core."""

    threads: int = Field(default=1, ge=1)
    """Threads of a worker; sums of floats, and with them neural models, depend on it a little."""

    rows_per_part: int = Field(default=2_000_000, ge=1000)
    """Upper guess for the rows of one part of a table."""


class Recipe(Settings):
    """Everything a run does, checked."""

    shop: ShopSettings
    """Where the tables are and which columns are which."""

    title: str = "shopsynth run"
    """Heading of the report."""

    seed: int = Field(default=7, ge=0, lt=1 << 31)
    """Every random stream derives from it."""

    clean: CleanSettings = CleanSettings()
    split: SplitSettings = SplitSettings()
    privacy: PrivacySettings = PrivacySettings()
    generate: tuple[GenerateSettings, ...] = Field(
        default=(GenerateSettings(synthesizer="markov"),), min_length=1
    )
    """The methods that make synthetic rows; each may appear once."""

    combine: CombineSettings = CombineSettings()
    train: TrainSettings = TrainSettings()
    evaluate: EvaluateSettings = EvaluateSettings()
    prove: ProveSettings = ProveSettings()
    pipeline: PipelineSettings = PipelineSettings()

    _base: Path = PrivateAttr(default_factory=Path)

    @model_validator(mode="after")
    def _check_consistency(self) -> Self:
        named = {
            "generate": [entry.synthesizer for entry in self.generate],
            "train.tasks": self.train.tasks,
            "train.models": self.train.models,
            "evaluate.cutoffs": self.evaluate.cutoffs,
            "evaluate.controls": [*HOUSE_ARMS, *self.evaluate.controls],
        }
        for where, names in named.items():
            twice = sorted({str(name) for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f"{where}: {', '.join(twice)} appears more than once")
        if self.train.headline not in self.train.models:
            raise ValueError(
                f"train.headline {self.train.headline!r} is not among train.models "
                f"({', '.join(self.train.models)})"
            )
        return self

    @property
    def base(self) -> Path:
        """The folder that relative paths of the recipe start from."""
        return self._base

    @property
    def sha256(self) -> str:
        """Hash of everything that can change a result; a login to a source cannot."""
        return sha256_of(redacted(self.model_dump(mode="json", exclude={"pipeline", "title"})))


def load_recipe(path: str | Path, overrides: tuple[str, ...] = ()) -> Recipe:
    """Read a recipe file.

    Args:
        path: A TOML file.
        overrides: ``key=value`` pairs such as ``"evaluate.seeds=5"`` or
            ``"generate.0.size=2"``; values are TOML, and text that is no TOML is a string.

    Raises:
        RecipeError: If the file is missing, is no TOML, or has faults; all of them are listed and
            an unknown key names the nearest known one.
    """
    file = Path(path)
    values = _parse(file)
    for override in overrides:
        _apply(values, override)
    return make_recipe(values, base=file.resolve().parent, where=file.name)


def make_recipe(values: dict[str, Any], *, base: Path, where: str = "recipe") -> Recipe:
    """Check a recipe given as nested dictionaries.

    Args:
        values: As ``tomllib`` reads them.
        base: Folder that relative paths start from.
        where: Name used in errors.

    Raises:
        RecipeError: With all faults.
    """
    recipe = Recipe.parse(values, where)
    recipe._base = base
    return recipe


def _parse(file: Path) -> dict[str, Any]:
    if not file.is_file():
        raise RecipeError(
            f"{file}: expected a recipe file, found none. "
            "Write one with: shopsynth init DATA --output recipe.toml"
        )
    try:
        if file.stat().st_size > _MAX_RECIPE_BYTES:
            raise RecipeError(f"{file}: expected a recipe of at most 1 MiB; this is another file")
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"{file}: expected TOML in UTF-8, but {error}") from error
    except OSError as error:
        raise RecipeError(f"{file}: cannot be read ({type(error).__name__})") from error


def _apply(values: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    if not equals or not key.strip():
        raise RecipeError(f"--set {override!r}: expected key=value, such as evaluate.seeds=5")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text
    *path, last = key.strip().split(".")
    place: Any = values
    for depth, part in enumerate(path):
        where = ".".join(path[: depth + 1])
        place = _step(place, part, where)
    if isinstance(place, list):
        place[_index(place, last, key)] = value
    else:
        place[last] = value


def _step(place: Any, part: str, where: str) -> Any:
    if isinstance(place, list):
        return place[_index(place, part, where)]
    inner = place.setdefault(part, {})
    if not isinstance(inner, dict | list):
        raise RecipeError(f"--set {where}: is a value, not a block, so it holds no keys")
    return inner


def _index(place: list[Any], part: str, where: str) -> int:
    if not part.isdigit() or int(part) >= len(place):
        known = [str(number) for number in range(len(place))]
        raise RecipeError(f"--set {where}: no entry {part!r}; {nearest(part, known)}")
    return int(part)
