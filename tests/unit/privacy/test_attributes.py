"""protect_attributes: planted recognisable people become like others, and nothing else is lost."""

from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopsynth.privacy import PrivacySettings, open_view
from shopsynth.privacy.attributes import class_sizes, protect_attributes
from shopsynth.privacy.disclosure import class_distances
from shopsynth.privacy.ladders import finest, hide_rare, is_hidden, ladder
from shopsynth.privacy.settings import AnonymitySettings
from shopsynth.schema import Dataset, PrivacyError, RecipeError, SchemaError


@pytest.fixture
def users():
    """Sixty ordinary people in two towns, and one who stands out by everything."""
    return pl.DataFrame(
        {
            "user_id": [f"u{i}" for i in range(61)],
            "town": ["Oslo"] * 30 + ["Bergen"] * 30 + ["Longyearbyen"],
            "age": [30 + i % 5 for i in range(60)] + [104],
            "since": [date(2020, 1 + i % 3, 1 + i % 28) for i in range(60)] + [date(1999, 5, 5)],
            "score": [round(0.1 * (i % 7), 1) for i in range(60)] + [1e9],
            "member": [i % 2 == 0 for i in range(60)] + [None],
        }
    )


def smallest(users, columns):
    """Count the users of the smallest class."""
    return int(class_sizes(users, columns).to_numpy().min())


def rules(k=0, **more):
    return AnonymitySettings(k=k, **more)


def test_everybody_shares_every_combination_with_k_users_and_no_row_is_dropped(users):
    protected, report = protect_attributes(users, rules(5))
    quasi = protected.columns[1:]
    assert protected["user_id"].equals(users["user_id"])
    assert protected.columns == users.columns
    assert smallest(protected, quasi) == report["smallest_class"] >= 5
    assert report["quasi_identifiers"] == quasi
    assert report["classes"] == protected.select(quasi).n_unique() > 1


def test_the_one_who_stands_out_is_hidden_and_the_many_keep_their_towns(users):
    protected, report = protect_attributes(users, rules(5, quasi_identifiers=("town", "age")))
    cells = {str(cell) for row in protected.drop("user_id").rows() for cell in row}
    assert not cells & {"Longyearbyen", "104", "1999-05-05", "1000000000.0"}
    assert protected["town"].to_list()[:50].count("Oslo") == 30
    assert report["cells_hidden"]["town"] >= 1
    assert not {"Longyearbyen", "Oslo", 104} & set(str(report).replace("'", " ").split())


def test_nothing_changes_with_every_rule_off_and_nothing_more_the_second_time(users):
    assert protect_attributes(users, rules())[0] is users
    asked = rules(7, l=2, t=0.5, sensitive=("score",))
    once, _ = protect_attributes(users, asked)
    twice, report = protect_attributes(once, asked)
    assert twice.equals(once)
    assert report["generalised"] == {}
    assert set(report["cells_hidden"].values()) == {0}


def test_numbers_and_dates_are_told_by_public_bins_that_no_row_decides():
    ages = pl.Series("age", [18, 23, 61, 104])
    assert ladder(ages, 2).at(2).to_list() == [15, 25, 65, 105]
    assert ladder(ages.head(2), 2).at(2).to_list() == [15, 25]
    prices = pl.Series("price", [0.12, 0.17, float("nan"), float("inf"), -0.4])
    names = [name for name, _ in ladder(prices, 2).steps]
    told = ladder(prices, 2).at(names.index("bins of 0.1")).to_list()
    assert [None if value is None else round(value, 2) for value in told] == [
        0.15, 0.15, None, None, -0.35,
    ]  # fmt: skip
    days = pl.Series("since", [date(2020, 2, 29), date(2021, 12, 31)])
    found = ladder(days, 2)
    assert [name for name, _ in found.steps] == ["exact", "day", "month", "year", "emptied"]
    assert found.at(2).to_list() == [date(2020, 2, 1), date(2021, 12, 1)]
    assert found.at(4).to_list() == [None, None]


def test_the_finest_step_leaves_few_rare_values():
    found = ladder(pl.Series("n", [*range(100), 5_000]), 10)
    step = finest(found, 10)
    assert found.steps[step][0] == "bins of 10"
    assert finest(ladder(pl.Series("n", range(6)), 7), 7) == len(found.steps) - 1


def test_a_column_of_another_type_tells_nothing():
    users = pl.DataFrame({"user_id": ["a", "b"], "tags": [["x"], ["y", "z"]]})
    assert protect_attributes(users, rules(2))[0]["tags"].to_list() == ["OTHER", "OTHER"]


def test_categories_become_text_and_missing_ones_are_a_value():
    town = pl.Series("town", ["a", "a", None, "b", "b"], dtype=pl.Categorical)
    users = pl.DataFrame({"user_id": list("abcde"), "town": town})
    protected, _ = protect_attributes(users, rules(2))
    assert protected["town"].to_list() == ["OTHER", "OTHER", "OTHER", "b", "b"]


@pytest.mark.parametrize("cells", [["a", "a", "a", "b"], [1, 1, 1, None], [True, True, True, None]])
def test_never_fewer_than_k_cells_are_hidden(cells):
    assert is_hidden(hide_rare(pl.Series("x", cells), 2)).all()


def test_a_class_of_all_hidden_users_is_filled_up_from_the_smallest_class():
    users = pl.DataFrame(
        {
            "user_id": [f"u{i}" for i in range(46)],
            "row": ["a"] * 20 + ["b"] * 20 + ["a"] + ["c"] * 5,
            "n": ["f"] * 20 + ["m"] * 20 + ["m"] + ["f"] * 5,
        }
    )
    protected, report = protect_attributes(users, rules(3))
    assert report["smallest_class"] >= 3
    assert protected.row(40)[1:] == ("OTHER", "OTHER")
    assert protected.tail(5)["row"].to_list() == ["OTHER"] * 5
    assert protected.head(40).equals(users.head(40))


def test_a_class_with_one_sensitive_value_does_not_tell_it():
    users = pl.DataFrame(
        {
            "user_id": [f"u{i}" for i in range(12)],
            "town": ["a"] * 4 + ["b"] * 8,
            "illness": ["flu"] * 4 + ["flu", "none"] * 4,
        }
    )
    asked = rules(2, l=2, quasi_identifiers=("town",), sensitive=("illness",))
    protected, report = protect_attributes(users, asked)
    assert protected["illness"].to_list() == ["OTHER"] * 4 + ["flu", "none"] * 4
    assert report["cells_hidden"] == {"town": 0, "illness": 4}
    without_k, _ = protect_attributes(users, rules(l=2, sensitive=("illness",)))
    assert without_k.equals(protected)


def test_a_class_far_from_the_whole_does_not_tell_its_distribution():
    users = pl.DataFrame(
        {
            "user_id": [f"u{i}" for i in range(40)],
            "town": ["a"] * 20 + ["b"] * 20,
            "rich": ([True] * 10 + [False] * 10) + ([True] * 19 + [False]),
        }
    )
    near = rules(t=0.25, quasi_identifiers=("town",), sensitive=("rich",))
    far = rules(t=0.2, quasi_identifiers=("town",), sensitive=("rich",))
    assert protect_attributes(users, near)[0].equals(users)
    protected, _ = protect_attributes(users, far)
    assert protected["rich"].null_count() == 40  # Each class is .225 away from the whole.


def test_without_quasi_identifiers_all_users_are_one_class(users):
    only = users.select("user_id", "town")
    protected, report = protect_attributes(only, rules(l=2, sensitive=("town",)))
    assert protected.equals(only)
    assert (report["classes"], report["smallest_class"]) == (1, 61)


@pytest.mark.parametrize("ordered", [True, False])
def test_distances_equal_their_definition(ordered):
    generator = np.random.Generator(np.random.PCG64(5))
    classes, values = generator.integers(0, 9, 300), generator.integers(0, 7, 300)
    column = pl.Series(values) if ordered else pl.Series(values).cast(pl.String)
    found = dict(class_distances(pl.DataFrame({"class": classes, "value": column})).iter_rows())
    whole = np.bincount(values, minlength=7) / 300
    for number in range(9):
        mine = values[classes == number]
        gap = np.bincount(mine, minlength=7) / mine.size - whole
        expected = np.abs(np.cumsum(gap)).sum() / 6 if ordered else np.abs(gap).sum() / 2
        assert found[number] == pytest.approx(expected, abs=1e-12)


def test_faults_name_columns_and_counts_only(users):
    with pytest.raises(SchemaError, match="'twon' is no attribute; did you mean 'town'"):
        protect_attributes(users, rules(2, quasi_identifiers=("twon",)))
    with pytest.raises(SchemaError, match="got 61 rows more"):
        protect_attributes(pl.concat([users, users]), rules(2))
    with pytest.raises(PrivacyError, match=r"at least privacy\.anonymity\.k = 99 users, got 61"):
        protect_attributes(users, rules(99))
    assert protect_attributes(users.clear(), rules(99))[0].is_empty()


def test_the_recipe_refuses_rules_that_a_mode_cannot_keep():
    with pytest.raises(PrivacyError, match="mode dp takes no k, l or t"):
        PrivacySettings.parse({"mode": "dp", "anonymity": {"k": 5}}, "privacy")
    with pytest.raises(RecipeError, match="mode public leaves the rows as they are"):
        PrivacySettings.parse({"mode": "public", "anonymity": {"k": 5}}, "privacy")
    with pytest.raises(RecipeError, match="either a quasi-identifier or sensitive"):
        rules_from({"k": 2, "sensitive": ["age"], "quasi_identifiers": ["age"]})
    with pytest.raises(RecipeError, match="name them in sensitive"):
        rules_from({"l": 2})


def rules_from(values):
    return AnonymitySettings.parse(values, "privacy.anonymity")


def test_mode_deidentify_obeys_and_notes_counts_in_the_ledger(users):
    shop = Dataset(items=pl.DataFrame({"item_id": ["a"]}), users=users)
    asked = PrivacySettings(mode="deidentify", anonymity=rules(5))
    view, ledger = open_view(shop, asked, b"sixteen bytes at least")
    assert smallest(view.rows.need("users"), ["town", "age"]) >= 5
    assert ledger.entries[0].detail["anonymity"]["smallest_class"] >= 5
    plain, ledger = open_view(shop, PrivacySettings(mode="deidentify"), b"sixteen bytes at least")
    assert plain.rows.need("users")["town"].to_list() == users["town"].to_list()
    assert "anonymity" not in ledger.entries[0].detail


people = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c", "dd", None, "OTHER"]),
        st.one_of(st.none(), st.integers(-200, 200)),
        st.one_of(st.none(), st.floats(-5, 5), st.just(float("nan"))),
        st.one_of(st.none(), st.dates(date(2019, 1, 1), date(2021, 1, 1))),
        st.one_of(st.none(), st.sampled_from(["x", "y", "z"])),
    ),
    min_size=5,
    max_size=60,
)


@settings(deadline=None, max_examples=60)
@given(people, st.integers(2, 5), st.integers(0, 3), st.sampled_from([0.0, 0.2, 0.6]))
def test_the_result_keeps_every_rule_whatever_the_table(rows, k, variety, farthest):
    users = pl.DataFrame(
        [(f"u{i}", *row) for i, row in enumerate(rows)],
        schema={"user_id": pl.String, "town": pl.String, "age": pl.Int16, "score": pl.Float32,
                "since": pl.Date, "secret": pl.String},
        orient="row",
    )  # fmt: skip
    asked = rules(k, l=variety, t=farthest, sensitive=("secret",))
    protected, report = protect_attributes(users, asked)
    quasi = ["town", "age", "score", "since"]
    assert protected.columns == users.columns
    assert protected["user_id"].equals(users["user_id"])
    assert smallest(protected, quasi) >= k
    assert all(smallest(protected, [name]) >= k for name in users.columns[1:])
    known = protected.filter(~is_hidden(protected["secret"]))
    whole = dict(known["secret"].value_counts(normalize=True).iter_rows())
    for _, part in known.group_by(quasi):
        assert part["secret"].n_unique() >= variety
        shares = dict(part["secret"].value_counts(normalize=True).iter_rows())
        gap = sum(abs(shares.get(value, 0) - share) for value, share in whole.items()) / 2
        assert not farthest or gap <= farthest + 1e-6
    assert protect_attributes(protected, asked)[0].equals(protected)
    shuffled, _ = protect_attributes(users.sample(fraction=1, shuffle=True, seed=3), asked)
    assert shuffled.sort("user_id").equals(protected.sort("user_id"))
    assert report["users"] == len(rows)
