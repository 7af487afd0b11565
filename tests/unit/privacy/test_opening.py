"""open_view: planted persons disappear, the shop's structure stays."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from shopsynth.privacy import PrivacySettings, open_view, protect
from shopsynth.schema import Dataset, LedgerEntry, PrivacyError, PrivacyLedger, SchemaError

KEY = b"sixteen bytes at least"
START = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.fixture
def train():
    return Dataset(
        items=pl.DataFrame(
            {"item_id": ["a", "b", "c"], "title": ["Cup", "call 415-555-2671", "C"]}
        ),
        users=pl.DataFrame(
            {
                "user_id": ["ann", "bob"],
                "E-Mail": ["ann@mail.example", "bob@mail.example"],
                "first_name": ["Ann", "Bob"],
                "billing_address_1": ["1 High Street", "2 High Street"],
                "country": ["France", "Spain"],
                "note": ["write ann@mail.example", "none"],
                "age": [31, 45],
            }
        ),
        events=pl.DataFrame(
            {
                "user_id": ["bob", "ann", "ann", "ann"],
                "item_id": ["c", "a", "b", "c"],
                "timestamp": [START + timedelta(days=day) for day in (9, 0, 1, 2)],
                "session_id": ["s9", "s1", "s1", "s2"],
                "event_type": ["purchase"] * 4,
                "query_id": [None, "q1", None, None],
                "order_id": [7, 8, 8, 9],
                "comment": [None, "call +44 20 7946 0958", None, None],
            },
            schema_overrides={"timestamp": pl.Datetime("us", "UTC")},
        ),
        queries=pl.DataFrame({"query_id": ["q1"], "text": ["cup for ann@mail.example"]}),
        reviews=pl.DataFrame(
            {
                "review_id": ["r1", "r2"],
                "item_id": ["a", "b"],
                "text": ["卡号4111111111111111", "good"],
                "user_id": ["ann", None],
                "locale": ["zh", "en"],
            }
        ),
    )


def opened(train, **settings):
    return open_view(train, PrivacySettings(**{"mode": "deidentify", **settings}), KEY)


def test_no_planted_person_is_left_in_any_table(train):
    rows = opened(train)[0].rows
    secrets = {"ann", "bob", "s1", "s2", "s9", "r1", "r2", "mail.example", "High Street", "Ann"}
    personal = [frame for name, frame in rows.tables().items() if name != "items"]
    cells = [str(cell) for frame in personal for row in frame.rows() for cell in row]
    assert len(cells) > 40
    assert not [cell for cell in cells if cell in secrets]
    for secret in ("mail.example", "High Street", "4111", "7946"):
        assert not any(secret in cell for cell in cells)


def test_direct_identifiers_are_dropped_and_other_attributes_kept(train):
    view, ledger = opened(train)
    assert view.rows.users.columns == ["user_id", "country", "note", "age"]
    assert view.rows.users["note"].to_list() == ["write <EMAIL>", "none"]
    assert sorted(ledger.entries[0].detail["columns_dropped"]) == [
        "users.E-Mail",
        "users.billing_address_1",
        "users.first_name",
    ]


def test_keys_still_join_after_the_replacement(train):
    rows = opened(train)[0].rows
    joined = rows.events.join(rows.users, on="user_id", how="inner")
    assert joined.height == 4
    by_country = joined.group_by("country").len().sort("country")
    assert by_country.rows() == [("France", 3), ("Spain", 1)]
    assert rows.events["session_id"].n_unique() == 3
    assert rows.events["order_id"].n_unique() == 3
    assert rows.events["query_id"].drop_nulls().to_list() == rows.queries["query_id"].to_list()
    assert rows.reviews["user_id"].to_list()[1] is None


def test_the_catalogue_is_public_and_untouched(train):
    assert opened(train)[0].items.equals(train.items)


def test_only_a_users_most_recent_events_reach_the_view(train):
    view, _ = opened(train, max_events_per_user=2)
    kept = view.events().select("item_id", "timestamp").sort("timestamp")
    assert kept["item_id"].to_list() == ["b", "c", "c"]
    assert view.max_events_per_user == 2


def test_the_same_key_gives_the_same_view_and_another_key_another(train):
    first, second = opened(train)[0], opened(train)[0]
    other = open_view(train, PrivacySettings(mode="deidentify"), KEY + b"!")[0]
    assert first.rows.events.equals(second.rows.events)
    assert set(first.events()["user_id"]).isdisjoint(other.events()["user_id"])
    assert first.fingerprint != other.fingerprint


@pytest.mark.parametrize("mode", ["public", "unsafe_nonprivate"])
def test_open_modes_keep_rows_but_bound_and_note_them(train, mode):
    view, ledger = opened(train, mode=mode, max_events_per_user=2)
    assert view.mode == mode
    assert view.rows.users.equals(train.users)
    assert view.rows.events.height == 3
    assert set(view.rows.events["user_id"]) == {"ann", "bob"}
    assert ledger.entries[0].mechanism == mode
    assert ledger.entries[0].epsilon is None


def test_the_ledger_grows_and_says_there_is_no_guarantee(train):
    earlier = PrivacyLedger("deidentify", "user").with_entry(
        LedgerEntry("pseudonymise", "0" * 64, None, None, {})
    )
    view, ledger = open_view(train, PrivacySettings(mode="deidentify"), KEY, earlier)
    assert [entry.source_fingerprint for entry in ledger.entries] == ["0" * 64, view.fingerprint]
    entry = ledger.entries[1]
    assert (entry.epsilon, entry.delta) == (None, None)
    assert "still personal data" in entry.detail["guarantee"]
    assert "ann" not in str(ledger.to_json())


def test_a_ledger_of_another_mode_is_refused(train):
    with pytest.raises(PrivacyError, match=r"expected mode public.*got deidentify"):
        open_view(train, PrivacySettings(mode="deidentify"), KEY, PrivacyLedger("public", "user"))


def test_dp_needs_a_budget_and_lists_all_that_is_missing(train):
    with pytest.raises(PrivacyError, match=r"(?s)needs epsilon.*needs users"):
        opened(train, mode="dp")


def test_dp_gives_no_rows_and_spends_nothing(train):
    view, ledger = opened(train, mode="dp", epsilon=1.0, users=100)
    assert ledger.entries == ()
    assert view.items.height == 3
    with pytest.raises(PrivacyError, match="only answers of mechanisms"):
        view.events()


def test_empty_required_cells_are_refused(train):
    broken = train.with_tables(events=train.events.with_columns(user_id=pl.lit(None, pl.String)))
    with pytest.raises(SchemaError, match="user_id: 4 of 4 cells are empty"):
        opened(broken)


def test_a_shop_without_events_has_a_view_too(train):
    view, _ = opened(Dataset(items=train.items))
    assert view.rows.counts() == {"items": 3}


@pytest.mark.parametrize("mode", ["deidentify", "dp"])
def test_pseudonyms_need_a_real_key(train, mode):
    settings = PrivacySettings(mode=mode, epsilon=1.0, users=100)
    with pytest.raises(PrivacyError, match=f"mode {mode}: expected a key of at least 16 bytes"):
        open_view(train, settings, b"")


def test_public_data_need_no_key(train):
    view, _ = open_view(train, PrivacySettings(mode="public"), b"")
    assert view.n_users == 2


def test_one_person_under_two_spellings_is_one_user_in_mode_dp(train):
    spelled = train.events.with_columns(
        user_id=pl.Series(["ann@x", " Ann@X", "ＡＮＮ@x", "bob"]).head(train.events.height)
    )
    settings = PrivacySettings(mode="dp", epsilon=1.0, users=100, max_events_per_user=2)
    made = protect(train.with_tables(events=spelled), settings, KEY)
    assert sorted(made.data.need("events")["user_id"].value_counts()["count"].to_list()) == [1, 2]
