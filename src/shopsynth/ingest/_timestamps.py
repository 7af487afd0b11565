"""Untyped cells to UTC microseconds.

In: a column of texts, integers, floats, dates or times. Out: the column as
``Datetime("us", "UTC")``, and which cells are no date.

Texts are read by the family they belong to, row by row, so two families in one column are fine as
long as each row belongs to one. Only ``1/2/10`` is open: day or month first? The whole column
decides (a 25 in one of the two places proves the order); where it cannot, the recipe must.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from shopsynth.ingest._cells import EMPTY_NUMBERS, TypedCells, blanked, emptied
from shopsynth.schema import TIMESTAMP, PrivacyError, SourceError

_LOG = logging.getLogger(__name__)

_CLOCK = (
    r"(?:[T ,]+(?<hour>\d{1,2}):(?<minute>\d{2})(?::(?<second>\d{2})(?:[.,](?<fraction>\d{1,9}))?)?"
    r"(?:\s*(?<half>[AaPp])\.?[Mm]\.?)?)?\s*(?<offset>Z|UTC|GMT|[+-]\d{2}:?\d{2})?$"
)
_DAY_MONTH = "day and month in digits, year last"
_EPOCH = "seconds since 1970"
_FAMILIES = {
    "year-month-day": r"^(?<year>\d{4})[-/.](?<month>\d{1,2})[-/.](?<day>\d{1,2})" + _CLOCK,
    _DAY_MONTH: r"^(?<first>\d{1,2})[-/.](?<second_place>\d{1,2})[-/.](?<year>\d{4}|\d{2})"
    + _CLOCK,
    "yyyymmdd": (
        r"^(?<year>(?:19|20)\d{2})(?<month>0[1-9]|1[0-2])(?<day>[0-3]\d)"
        r"(?:T?(?<hour>\d{2})(?<minute>\d{2})(?<second>\d{2}))?Z?$"
    ),
    _EPOCH: r"^-?(\d{9,10}|\d{12,13}|\d{15,16}|\d{18,19})(\.\d+)?$",
    "month name first": (
        r"^(?:[A-Za-z]{3,9},?\s+)?(?<month>[A-Za-z]{3,9})\.?\s+(?<day>\d{1,2})(?:st|nd|rd|th)?,?\s+"
        r"(?<year>\d{4})" + _CLOCK
    ),
    "day, month name": (
        r"^(?:[A-Za-z]{3,9},\s+)?(?<day>\d{1,2})(?:st|nd|rd|th)?[\s-]+(?<month>[A-Za-z]{3,9})\.?,?"
        r"[\s-]+(?<year>\d{4}|\d{2})" + _CLOCK
    ),
    "month day, year": r"^(?<month>\d{1,2}) (?<day>\d{1,2}), (?<year>\d{4})$",
    "年月日": (
        r"^(?<year>\d{4})年(?<month>\d{1,2})月(?<day>\d{1,2})日?(?:\s*(?<hour>\d{1,2})[:时点]"
        r"(?<minute>\d{1,2})(?:[:分](?:(?<second>\d{1,2})秒?)?)?)?$"
    ),
}
_FAST_FORMATS = ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.fZ", "%Y-%m-%d")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
# POSIX: two digits from 69 on are the last century's.
_CENTURY_TURN = 69
_MICROS_PER_MINUTE = 60_000_000
# One slip among many rows does not make the order of day and month doubtful.
_PROOF_SHARE = 0.95
_COMPACT_DATES = (19_000_101, 21_001_231)
_SMALLEST_EPOCH = 100_000_000


@dataclass(frozen=True)
class DayOrderEvidence:
    """How many rows prove that the day, or the month, comes first.

    Attributes:
        day_first: Rows whose first number is above 12.
        month_first: Rows whose second number is above 12.
        n_open: Rows that could be either.
    """

    day_first: int = 0
    month_first: int = 0
    n_open: int = 0

    def __add__(self, other: "DayOrderEvidence") -> "DayOrderEvidence":
        return DayOrderEvidence(
            self.day_first + other.day_first,
            self.month_first + other.month_first,
            self.n_open + other.n_open,
        )


def day_order_evidence(cells: pl.Series) -> DayOrderEvidence:
    """Count what a column of texts says about the order of day and month.

    Example:
        >>> day_order_evidence(pl.Series(["12/31/10 8:26", "1/2/10 9:00"]))
        DayOrderEvidence(day_first=0, month_first=1, n_open=1)
    """
    if cells.dtype != pl.String:
        return DayOrderEvidence()
    text = cells.str.strip_chars()
    parts = text.filter(text.str.contains(_FAMILIES[_DAY_MONTH])).str.extract_groups(
        r"^(\d{1,2})[-/.](\d{1,2})"
    )
    if not parts.len():
        return DayOrderEvidence()
    places = parts.struct.unnest().cast(pl.Int32)
    first, second = places.to_series(0) > 12, places.to_series(1) > 12
    return DayOrderEvidence(
        int((first & ~second).sum()), int((second & ~first).sum()), int((~first & ~second).sum())
    )


def typed_timestamps(
    cells: pl.Series,
    *,
    date_format: str | None,
    timezone: str,
    where: str,
    elsewhere: Callable[[], DayOrderEvidence] = DayOrderEvidence,
    literal: bool = False,
) -> TypedCells:
    """Turn cells into UTC times; times without a zone are taken to be in ``timezone``.

    Args:
        cells: The column.
        date_format: ``strftime`` format, or ``None`` to find the families by themselves.
        timezone: IANA name.
        where: File and column, for messages.
        elsewhere: Evidence on the order of day and month from the source's other parts; asked
            only where this column has none.
        literal: Let no cell decide on another: texts need ``date_format``, fractional numbers are
            times since 1970.

    Raises:
        SourceError: If day and month cannot be told apart.
        PrivacyError: If ``literal`` texts come without ``date_format``.
    """
    if cells.dtype.is_temporal():
        return _checked(cells, _to_utc(cells.cast(_micros(cells.dtype)), timezone))
    if date_format is not None:
        text = emptied(cells.cast(pl.String).str.strip_chars(), EMPTY_NUMBERS)
        return _checked(text, _parsed(text, date_format, timezone))
    if cells.dtype.is_integer():
        return _of_integers(cells.cast(pl.Int64, strict=False), timezone)
    if cells.dtype.is_numeric():
        seconds = cells.cast(pl.Float64).fill_nan(None)
        if not literal and (seconds == seconds.round(0)).all():
            return _of_integers(seconds.cast(pl.Int64, strict=False), timezone)
        return _checked(seconds, _of_epoch(seconds))
    if literal:
        raise PrivacyError(
            f"{where}: mode dp expects times, or texts of a declared `date_format`, got texts and "
            "none; their form would be found out from everybody's rows: set `date_format`"
        )
    text = emptied(cells.cast(pl.String).str.strip_chars(), EMPTY_NUMBERS)
    return _checked(text, _of_text(text, timezone, where, elsewhere))


def _checked(cells: pl.Series, values: pl.Series) -> TypedCells:
    return TypedCells(values, cells.is_not_null() & values.is_null(), "unreadable_timestamp")


def _micros(dtype: pl.DataType) -> pl.Datetime:
    return pl.Datetime("us", dtype.time_zone if isinstance(dtype, pl.Datetime) else None)


def _to_utc(values: pl.Series, timezone: str) -> pl.Series:
    """Give naive times their zone; a time the clocks skipped becomes null."""
    dtype = values.dtype
    if isinstance(dtype, pl.Datetime) and dtype.time_zone is None:
        values = values.dt.replace_time_zone(timezone, ambiguous="earliest", non_existent="null")
    return values.dt.convert_time_zone("UTC").cast(TIMESTAMP)


def _parsed(text: pl.Series, date_format: str, timezone: str) -> pl.Series:
    if "%z" in date_format or "%:z" in date_format:
        return text.str.to_datetime(date_format, strict=False, time_unit="us", time_zone="UTC")
    values = text.str.to_datetime(date_format, strict=False, time_unit="us", ambiguous="earliest")
    return _to_utc(values, timezone)


def _of_integers(numbers: pl.Series, timezone: str) -> TypedCells:
    """Read integers as yyyymmdd where they can be dates, else as time since 1970."""
    if numbers.is_between(*_COMPACT_DATES).any():
        days = blanked(numbers, ~numbers.is_between(*_COMPACT_DATES).fill_null(value=False))
        dates = _to_utc(
            days.cast(pl.String).str.to_datetime("%Y%m%d", strict=False, time_unit="us"), timezone
        )
        return _checked(numbers, dates.zip_with(days.is_not_null(), _of_epoch(numbers)))
    return _checked(numbers, _of_epoch(numbers))


def _of_epoch(numbers: pl.Series) -> pl.Series:
    """Read numbers as seconds, milli-, micro- or nanoseconds, by their size."""
    size = pl.col("n").abs()
    micros = (
        pl.when(size < _SMALLEST_EPOCH)
        .then(None)
        .when(size < 10**11)
        .then(pl.col("n") * 1_000_000)
        .when(size < 10**14)
        .then(pl.col("n") * 1_000)
        .when(size < 10**17)
        .then(pl.col("n"))
        .otherwise(pl.col("n") // 1_000)
    )
    return numbers.to_frame("n").select(micros.cast(pl.Int64).cast(TIMESTAMP)).to_series()


def _of_text(
    text: pl.Series, timezone: str, where: str, elsewhere: Callable[[], DayOrderEvidence]
) -> pl.Series:
    values = pl.repeat(None, text.len(), dtype=TIMESTAMP, eager=True)
    open_rows = text.is_not_null()
    for date_format in _FAST_FORMATS:
        naive = text.str.to_datetime(date_format, strict=False, time_unit="us")
        # The parser takes "10-11-12" for a year 10; such rows belong to another family.
        naive = blanked(naive, ~naive.dt.year().is_between(1000, 9999).fill_null(value=False))
        zone = "UTC" if date_format.endswith("Z") else timezone
        found = open_rows & naive.is_not_null()
        if found.any():
            values = _to_utc(naive, zone).zip_with(found, values)
            open_rows &= ~found
        if not open_rows.any():
            return values
    seen = [] if not values.is_not_null().any() else ["year-month-day"]
    for family, pattern in _FAMILIES.items():
        rows = open_rows & text.str.contains(pattern).fill_null(value=False)
        if not rows.any():
            continue
        seen.append(family)
        chosen = text.filter(rows)
        order = ""
        if family == _DAY_MONTH:
            order = _day_order(day_order_evidence(text), where, elsewhere)
        parsed = _of_family(chosen, family, order, timezone)
        places = rows.arg_true()
        values = values.scatter(places, parsed)
        open_rows &= ~rows
    if len(set(seen)) > 1:
        _LOG.warning("%s: %d date formats in one column: %s", where, len(seen), ", ".join(seen))
    return values


def _day_order(
    here: DayOrderEvidence, where: str, elsewhere: Callable[[], DayOrderEvidence]
) -> str:
    """Decide whether the day or the month comes first, or ask for ``date_format``."""
    evidence = here if here.day_first or here.month_first else here + elsewhere()
    n_proofs = evidence.day_first + evidence.month_first
    if n_proofs and max(evidence.day_first, evidence.month_first) >= _PROOF_SHARE * n_proofs:
        return "day" if evidence.day_first > evidence.month_first else "month"
    finding = (
        f"{evidence.day_first:,} rows prove the day first and {evidence.month_first:,} the month"
        if n_proofs
        else f"all {evidence.n_open:,} rows could be either"
    )
    raise SourceError(
        f"{where}: expected dates in which day and month can be told apart, {finding}; "
        'set date_format, for example "%d/%m/%Y %H:%M" or "%m/%d/%y %H:%M"'
    )


def _of_family(text: pl.Series, family: str, order: str, timezone: str) -> pl.Series:
    """Read texts of one family by rewriting their pieces as year-month-day clock."""
    if family == _EPOCH:
        numbers = text.cast(pl.Float64 if text.str.contains(".", literal=True).any() else pl.Int64)
        return _of_epoch(numbers)
    pieces = text.str.extract_groups(_FAMILIES[family]).struct.unnest()
    if order:
        names = ("day", "month") if order == "day" else ("month", "day")
        pieces = pieces.rename(dict(zip(("first", "second_place"), names, strict=True)))
    absent = [
        pl.lit(None, dtype=pl.String).alias(name)
        for name in ("hour", "minute", "second", "fraction", "half", "offset")
        if name not in pieces.columns
    ]
    pieces = pieces.with_columns(absent)
    naive = pieces.select(
        pl.concat_str(
            pl.concat_str(_year(), _month(), "day", separator="-"),
            pl.lit(" "),
            pl.concat_str(_hour(), pl.col("minute", "second").fill_null("00"), separator=":"),
            pl.lit("."),
            pl.col("fraction").fill_null("0"),
        ).str.to_datetime("%Y-%m-%d %H:%M:%S%.f", strict=False, time_unit="us")
    ).to_series()
    offset = pieces.select(_offset_minutes()).to_series()
    if not offset.is_not_null().any():
        return _to_utc(naive, timezone)
    shifted = (naive.cast(pl.Int64) - offset * _MICROS_PER_MINUTE).cast(TIMESTAMP)
    return shifted.zip_with(offset.is_not_null(), _to_utc(naive, timezone))


def _year() -> pl.Expr:
    year = pl.col("year").cast(pl.Int32)
    century = pl.when(year >= _CENTURY_TURN).then(1900).otherwise(2000)
    short = pl.col("year").str.len_chars() == 2
    return pl.when(short).then(year + century).otherwise(year).cast(pl.String)


def _month() -> pl.Expr:
    by_name = (
        pl.col("month")
        .str.to_lowercase()
        .str.slice(0, 3)
        .replace_strict(
            _MONTHS, [str(number) for number in range(1, 13)], default=None, return_dtype=pl.String
        )
    )
    return pl.when(pl.col("month").str.contains(r"^\d")).then("month").otherwise(by_name)


def _hour() -> pl.Expr:
    hour = pl.col("hour").cast(pl.Int32)
    afternoon = pl.col("half").str.to_lowercase() == "p"
    twelve = (hour % 12) + pl.when(afternoon).then(12).otherwise(0)
    return (
        pl.when(pl.col("half").is_null())
        .then(hour)
        .otherwise(twelve)
        .cast(pl.String)
        .fill_null("0")
    )


def _offset_minutes() -> pl.Expr:
    """Minutes east of UTC; null where the text names no zone."""
    digits = pl.col("offset").str.replace(":", "", literal=True)
    sign = pl.when(digits.str.starts_with("-")).then(-1).otherwise(1)
    hours = digits.str.slice(1, 2).cast(pl.Int64, strict=False)
    minutes = digits.str.slice(3, 2).cast(pl.Int64, strict=False)
    named = digits.is_in(["Z", "UTC", "GMT"])
    return (
        pl.when(named)
        .then(0)
        .otherwise(sign * (hours * 60 + minutes))
        .cast(pl.Int64)
        .alias("offset")
    )
