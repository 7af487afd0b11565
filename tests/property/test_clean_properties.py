"""Cleaning twice equals once, loses no row, keeps the order and works part by part."""

from datetime import UTC, datetime

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from shopsynth.clean import CleanSettings, clean_dataset, clean_events, clean_items
from shopsynth.clean.text import normalise
from shopsynth.schema import Dataset, EmptyDataError

FIXED = settings(derandomize=True, deadline=None, database=None, max_examples=60)

ids = st.sampled_from(["10", "11", "12", "POST", "", None])
prices = st.sampled_from([None, -1.0, 0.0, 1.0, 2.5, float("nan"), float("inf")])
times = st.sampled_from([None, *(datetime(2030, 1, day, tzinfo=UTC) for day in range(1, 4))])
pieces = st.sampled_from(
    ["<", ">", "b", "/", "!--", "-->", "script", "&", "amp;", "lt;", "gt;", "#38;", "#60;",
     "#xFF1C;", "\u200b", "\u0301", "\u0338", "e", "Ａ", "¨", "ﷺ", " ", "\n", "\u3000",
     "\x00", "\u00ad", "杯"]
)  # fmt: skip
texts = st.lists(pieces, max_size=14).map("".join) | st.text(max_size=12)
events = st.lists(
    st.tuples(
        st.sampled_from(["u", "v", "w", " ", None]),
        ids,
        times,
        st.sampled_from(["purchase", "refund", None]),
        st.sampled_from([None, -1.0, 0.0, 1.0]),
        prices,
    ),
    max_size=25,
)
items = st.lists(
    st.tuples(ids, st.sampled_from([None, "Mug", " Mug ", "&lt;b&gt;Cup"]) | texts, prices,
              st.integers(1, 5)),
    min_size=1, max_size=15,
)  # fmt: skip
rules = st.builds(
    CleanSettings,
    item_id_pattern=st.sampled_from([None, "^[0-9]+$"]),
    drop_returns=st.booleans(),
    drop_repeats=st.booleans(),
    min_events_per_user=st.integers(1, 3),
    strip_html=st.booleans(),
)


def events_frame(rows: list[tuple[object, ...]]) -> pl.DataFrame:
    return pl.DataFrame(
        rows,
        schema={
            "user_id": pl.String,
            "item_id": pl.String,
            "timestamp": pl.Datetime("us", "UTC"),
            "event_type": pl.String,
            "quantity": pl.Float64,
            "price": pl.Float64,
        },
        orient="row",
    )


def items_frame(rows: list[tuple[object, ...]]) -> pl.DataFrame:
    schema = {"item_id": pl.String, "title": pl.String, "price": pl.Float64, "n_rows": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")


@FIXED
@given(items=items, events=events, rules=rules)
def test_cleaning_twice_equals_once(
    items: list[tuple[object, ...]], events: list[tuple[object, ...]], rules: CleanSettings
) -> None:
    shop = Dataset(items=items_frame(items), events=events_frame(events))
    try:
        once, rejects = clean_dataset(shop, rules)
    except EmptyDataError:
        return
    twice, again = clean_dataset(once, rules)
    assert again.is_empty()
    for table, frame in once.tables().items():
        assert_frame_equal(twice.need(table), frame)
    for table, n in shop.counts().items():
        assert once.counts()[table] + rejects.filter(pl.col("table") == table).height == n


@FIXED
@given(events=events, rules=rules)
def test_events_keep_their_order_and_cells(
    events: list[tuple[object, ...]], rules: CleanSettings
) -> None:
    frame = events_frame(events).with_row_index("row")
    kept = clean_events(frame, pl.Series(["10", "11"]), rules).kept
    assert kept["row"].is_sorted()
    assert_frame_equal(kept, frame[kept["row"].to_list()])


@FIXED
@given(events=events, rules=rules)
def test_users_can_be_cleaned_apart(events: list[tuple[object, ...]], rules: CleanSettings) -> None:
    frame = events_frame(events).with_row_index("row")
    catalogue = pl.Series(["10", "11"])
    whole = clean_events(frame, catalogue, rules)
    # Rows without a user may land in any part; they are rejected wherever they are.
    belongs = pl.col("user_id").is_in(["u", "v"]).fill_null(False)
    parts = [clean_events(frame.filter(keep), catalogue, rules) for keep in (belongs, ~belongs)]
    assert_frame_equal(pl.concat([part.kept for part in parts]).sort("row"), whole.kept)
    rejects = pl.concat([part.rejects for part in parts]).sort("reason", "record")
    assert_frame_equal(rejects, whole.rejects.sort("reason", "record"))


@FIXED
@given(items=items)
def test_one_row_an_item(items: list[tuple[object, ...]]) -> None:
    frame = items_frame(items)
    try:
        kept = clean_items(frame, CleanSettings()).kept
    except EmptyDataError:
        return
    assert not kept["item_id"].is_duplicated().any()
    for item_id, title, price in kept.rows():
        said = frame.filter(pl.col("item_id") == item_id)
        assert title is None or title in normalise(said["title"], strip_html=True).to_list()
        assert price is None or price in said["price"].to_list()


@settings(FIXED, max_examples=300)
@given(texts=st.lists(texts, min_size=1, max_size=5), strip_html=st.booleans())
def test_normalising_a_text_twice_equals_once(texts: list[str], strip_html: bool) -> None:
    once = normalise(pl.Series(texts, dtype=pl.String), strip_html=strip_html)
    assert normalise(once, strip_html=strip_html).to_list() == once.to_list()
    alone = [normalise(pl.Series([text]), strip_html=strip_html)[0] for text in texts]
    assert alone == once.to_list()
