"""Split and Holdout: the real data, cut so that nothing that learns has seen what it is asked.

In: cleaned tables. Out: train, validation, test (at low data: asked and reserve), fixed slices, and
questions with answers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

import polars as pl

from shopsynth.schema.dataset import Dataset
from shopsynth.schema.errors import SchemaError, UnknownNameError, nearest
from shopsynth.schema.fingerprint import stable_bucket

SLICE_COLUMNS = {"kind": pl.String(), "id": pl.String(), "slice": pl.String()}
TRUTH_COLUMNS = {"unit_id": pl.String(), "item_id": pl.String(), "grade": pl.Float64()}

UNIT_COLUMN = "unit_id"
"""Names the unit of each row of a request table whose own columns do not."""

_UNIT_COLUMNS = {"events": "user_id", "queries": "query_id"}
"""What names the units where no request table has :data:`UNIT_COLUMN`."""

_REQUESTS, _TRUTH = "requests/", "truth"
"""Names of a holdout's frames."""

_MANY = 1 << 32


@dataclass(frozen=True)
class Split:
    """The real shop in parts; all of them are real.

    At low data (``[split] train_users`` below 1) users are in one of four groups, and there are
    two more parts. Then ``train`` holds rows of train users alone, ``validation`` rows of
    validation users (of train users where there are none), ``test`` rows of asked users alone;
    what these users did later, and what is of no use to any part, is in none.

    Attributes:
        train: All that generators and models may learn from.
        validation: Rows that choose settings. Same catalogue as train.
        test: Rows that judge; read once per plan.
        slices: Columns ``kind`` (``item``, ``user`` or ``query``), ``id``, ``slice``. An id may be
            in several slices: ``cold`` items are ``tail`` items too. Items are counted in train
            alone, users by their own rows before the holdout.
        by: How it was cut: ``time``, ``leave_one_out``, ``query`` or ``review``.
        asked: Rows of asked users before the test and of validation users before the validation:
            input of questions, never learned from. ``None`` unless at low data: else who is asked
            in test is in train and validation.
        reserve: Train rows of the users between, or labels that are held back: nobody learns from
            them but the arm ``oracle``. ``None`` unless at low data or with few labels; may hold no
            row.

    Raises:
        SchemaError: If a part has empty required cells or ``slices`` has other columns.
    """

    train: Dataset
    validation: Dataset
    test: Dataset
    slices: pl.DataFrame
    by: str
    asked: Dataset | None = None
    reserve: Dataset | None = None

    def __post_init__(self) -> None:
        for name in ("train", "validation", "test", "asked", "reserve"):
            part: Dataset | None = getattr(self, name)
            if part is not None:
                part.check_filled(f"Split.{name}")
        _check_columns("Split.slices", self.slices, SLICE_COLUMNS)

    def before(self, part: str) -> tuple[Dataset, ...]:
        """Return the parts whose rows are input of the questions of ``part``, oldest first.

        Args:
            part: ``validation`` or ``test``.

        Raises:
            UnknownNameError: If no questions are asked about such a part.
        """
        if part == "validation":
            return (self.train,) if self.asked is None else (self.train, self.asked)
        if part == "test":
            return (self.train, self.validation) if self.asked is None else (self.asked,)
        raise UnknownNameError(
            f"no questions are asked about a part {part!r}; {nearest(part, ('validation', 'test'))}"
        )


@dataclass(frozen=True)
class Holdout:
    """What a fitted ranker is asked, and the real answers.

    Attributes:
        requests: For behaviour tasks, ``events`` are the users' histories up to the question and
            ``items`` the whole catalogue to rank; for search tasks, ``queries`` are the questions.
            Where neither a user nor a query is the unit, as with pairs, the table that asks has a
            column ``unit_id``: ``relations`` with ``head`` and ``tail``, say.
        truth: Columns ``unit_id``, ``item_id``, ``grade``: a gain above 0 for every right answer
            of a unit, or the label of the unit's one pair, 0 or 1.
        exclude_seen: Leave a unit's own history out of its ranking (only where nobody rebuys).
    """

    requests: Dataset
    truth: pl.DataFrame
    exclude_seen: bool = False

    def __post_init__(self) -> None:
        _check_columns("Holdout.truth", self.truth, TRUTH_COLUMNS)

    def drawn_down(self, n: int) -> Self:
        """Keep at most ``n`` units, drawn by a hash of their ids: always the same ones.

        Units may be sampled, the catalogue never: sampled negatives can reverse the order of
        models (arXiv 2307.14951).

        Args:
            n: Units to keep; the rest of answers, histories and queries is left out.
        """
        units = self.truth["unit_id"].unique().sort()
        if units.len() <= n:
            return self
        drawn = pl.DataFrame({"unit_id": units, "place": stable_bucket(units, _MANY)})
        kept = drawn.sort("place", "unit_id").head(n).select("unit_id")
        truth = self.truth.join(kept, on="unit_id", how="semi", maintain_order="left")
        keys = self._keys()
        asked = {
            name: frame.join(
                kept, left_on=key, right_on="unit_id", how="semi", maintain_order="left"
            )
            for name, frame in self.requests.tables().items()
            if (key := keys.get(name)) is not None and key in frame.columns
        }
        return replace(self, requests=self.requests.with_tables(**asked), truth=truth)

    def frames(self) -> dict[str, pl.DataFrame]:
        """Return all that :meth:`of` needs besides the catalogue, by name.

        Names are ``requests/<table>`` and ``truth``, so that they cannot be taken for a table of
        the split.
        """
        frames = {
            f"{_REQUESTS}{name}": rows
            for name, rows in self.requests.tables().items()
            if name != "items"
        }
        return {**frames, _TRUTH: self.truth}

    @classmethod
    def of(
        cls, frames: Mapping[str, pl.DataFrame], items: pl.DataFrame, exclude_seen: bool = False
    ) -> Self:
        """Put a holdout together that :meth:`frames` took apart.

        Args:
            frames: At least those frames; others are ignored.
            items: The whole catalogue.
            exclude_seen: Leave a unit's own history out of its ranking.

        Raises:
            SchemaError: If there are no answers, or a frame is not the table it claims to be.
        """
        if _TRUTH not in frames:
            raise SchemaError(
                f"Holdout: expected a frame {_TRUTH} and frames {_REQUESTS}<table>, got "
                f"{', '.join(frames) or 'none'}; pass what Holdout.frames() gave"
            )
        asked = {
            name.removeprefix(_REQUESTS): frame
            for name, frame in frames.items()
            if name.startswith(_REQUESTS)
        }
        return cls(Dataset(items, **asked), frames[_TRUTH], exclude_seen)

    def _keys(self) -> dict[str, str]:
        """Name the column that says whose each row is, by table; other tables are nobody's."""
        named = {
            name: UNIT_COLUMN
            for name, frame in self.requests.tables().items()
            if UNIT_COLUMN in frame.columns
        }
        return named or _UNIT_COLUMNS


def _check_columns(where: str, frame: pl.DataFrame, expected: Mapping[str, pl.DataType]) -> None:
    if dict(frame.schema) != expected:
        raise SchemaError(f"{where}: expected columns {expected}, got {dict(frame.schema)}")
