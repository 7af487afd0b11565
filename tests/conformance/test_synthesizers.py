"""What every synthesizer must do. A plug-in runs this suite by registering its class first."""

import ast
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import polars as pl
import pytest

import shopsynth.generate
from fakes.fake_writer import WRITER_OPTIONS, WRITERS, writing_options
from fakes.noise import SeededNoise
from fakes.small_options import SMALL_OPTIONS, SMALL_PRIVATE_OPTIONS
from fakes.tills import purse_of
from fakes.tiny_lm import save_tiny_lm
from shopsynth.generate import SYNTHESIZERS, Conditions, make_synthesizer
from shopsynth.generate.base import check_request, check_view, register
from shopsynth.privacy import PrivacySettings, PrivateView, open_view
from shopsynth.privacy.accounting import compose
from shopsynth.schema import (
    FURTHER,
    MAIN_FURTHER,
    Dataset,
    InputError,
    PrivacyError,
    RecipeError,
    Settings,
    SyntheticDataset,
    UnknownNameError,
    filled_columns,
)

EVERY = SYNTHESIZERS.names()
METHODS = [name for name in EVERY if SYNTHESIZERS.get(name).table == "events"]
SEARCHED = [name for name in EVERY if SYNTHESIZERS.get(name).table == "judgments"]
REVIEWED = [name for name in EVERY if SYNTHESIZERS.get(name).table == "reviews"]
WRITTEN = [name for name in EVERY if SYNTHESIZERS.get(name).table in MAIN_FURTHER]
NEED_JUDGMENTS = {"augmented_queries", "llm_paraphrases"}
PRIVATE = [name for name in METHODS if "dp" in SYNTHESIZERS.get(name).modes]
MODES = {"public", "deidentify", "dp", "unsafe_nonprivate"}
N_USERS, N_ITEMS = 40, 30
START = datetime(2024, 1, 1, tzinfo=UTC)
ITEMS = pl.DataFrame(
    {
        "item_id": [f"item-{i:02d}" for i in range(N_ITEMS)],
        "title": [f"{('blue', 'red', 'green')[i % 3]} cup number {i}" for i in range(N_ITEMS)],
        "category": [f"kitchen > {('cups', 'mugs')[i % 2]}" for i in range(N_ITEMS)],
        "price": [1.0 + i for i in range(N_ITEMS)],
    }
)


def events_of(order="timestamp", **extra):
    """A shop whose last five items are cold and in which nobody buys an item twice."""
    random = np.random.Generator(np.random.PCG64(5))
    rows = []
    for user in range(N_USERS):
        items = random.permutation(N_ITEMS - 5)[: 1 + user % 9]
        for place, item in enumerate(items):
            rows.append(
                {
                    "user_id": f"person-{user}",
                    "item_id": f"item-{item:02d}",
                    "timestamp": START + timedelta(days=user + place // 2, hours=9 + user % 7),
                    "position": place,
                    "session_id": f"visit-{user}-{place // 2}",
                    "event_type": "purchase",
                    "quantity": float(1 + place),
                    "price": 1.0 + int(item),
                }
            )
    frame = pl.DataFrame(rows, schema_overrides={"timestamp": pl.Datetime("us", "UTC")})
    dropped = {"timestamp": ["position"], "position": ["timestamp", "session_id", "price"]}[order]
    return frame.drop(dropped).with_columns(**extra)


def view_of(events, items=ITEMS, mode="deidentify"):
    data = Dataset(items=items, events=events)
    settings = PrivacySettings(mode=mode, epsilon=1.0, users=100)
    return open_view(data, settings, b"a key of sixteen bytes")[0]


def made(method, view, n=50, seed=3, **kwargs):
    synthesizer = make_synthesizer(method, SMALL_OPTIONS.get(method, {}))
    return synthesizer.fit(view, seed=1).sample(n, seed=seed, **kwargs)


@pytest.fixture(scope="module", autouse=True)
def language_model(tmp_path_factory):
    """A writer on loopback, for the methods that ask one."""
    with writing_options(tmp_path_factory.mktemp("answers")) as options:
        SMALL_OPTIONS.update({name: options | WRITER_OPTIONS.get(name, {}) for name in WRITERS})
        yield
    for name in WRITERS:
        SMALL_OPTIONS.pop(name)


@pytest.fixture(scope="module", autouse=True)
def given_model(tmp_path_factory):
    """A random network of a few kilobytes, for the method that tunes one."""
    folder = save_tiny_lm(tmp_path_factory.mktemp("model"), ["I like my cup"])
    options = {"model": str(folder), "length": 16, "max_epochs": 1, "batch_texts": 16}
    SMALL_OPTIONS["tuned_lm"] = options
    yield
    SMALL_OPTIONS.pop("tuned_lm")


@pytest.fixture(scope="module")
def view():
    return view_of(events_of())


def test_the_suite_found_the_methods():
    assert {*METHODS, *SEARCHED, *REVIEWED, *WRITTEN} == set(EVERY)
    assert {"title_queries", "llm_queries", "llm_paraphrases"} <= set(SEARCHED)
    assert "llm_reviews" in REVIEWED
    assert {"llm_item_texts", "llm_adverts", "llm_dialogues"} <= set(WRITTEN)
    assert set(METHODS) >= {"markov", "teacher", "substitute", "pseudo_session", "noise"}


@pytest.mark.parametrize("method", METHODS)
class TestEverySynthesizer:
    def test_it_declares_what_it_is(self, method):
        cls = SYNTHESIZERS.get(method)
        assert issubclass(cls.Options, Settings)
        assert cls.modes
        assert cls.modes <= MODES
        assert all(field.description for field in cls.Options.model_fields.values())

    def test_it_makes_whole_rows_of_as_many_new_users_as_asked(self, method, view):
        synthetic = made(method, view, n=55)
        assert isinstance(synthetic, SyntheticDataset)
        events = synthetic.data.need("events")
        assert events["user_id"].n_unique() == 55
        assert set(events.columns) <= set(events_of().columns)
        assert "timestamp" in events.columns
        for column in filled_columns("events", events):
            assert events[column].null_count() == 0, column

    def test_keys_are_valid_and_times_lie_in_the_period(self, method, view):
        synthetic = made(method, view)
        events, real = synthetic.data.need("events"), view.events()
        assert synthetic.data.items.equals(view.items)
        assert events["item_id"].is_in(ITEMS["item_id"].implode()).all()
        assert (
            events["timestamp"].is_between(real["timestamp"].min(), real["timestamp"].max()).all()
        )
        by_user = events.with_columns(pl.col("timestamp").diff().over("user_id").alias("gap"))
        assert (by_user["gap"].drop_nulls() >= timedelta(0)).all()

    def test_no_real_person_is_in_it(self, method, view):
        """Canary: neither an id nor its pseudonym, of user or session, comes back."""
        synthetic = made(method, view).data.need("events")
        for column in {"user_id", "session_id"} & set(synthetic.columns):
            hidden = {*view.events()[column], *events_of()[column]}
            assert len(hidden) >= 2 * N_USERS
            assert hidden.isdisjoint(synthetic[column])

    def test_a_rare_title_is_not_spread(self, method):
        """Canary: what only the catalogue may know stays in the catalogue."""
        events = events_of(note=pl.lit("zyx-canary-9317"))
        synthetic = made(method, view_of(events)).data.need("events")
        assert "note" not in synthetic.columns
        assert "zyx-canary-9317" not in synthetic.write_csv()

    def test_the_same_seed_gives_the_same_rows_and_another_one_others(self, method, view):
        first, again, other = (made(method, view, seed=seed) for seed in (3, 3, 4))
        assert first.data.need("events").equals(again.data.need("events"))
        assert first.config_sha256 == again.config_sha256
        assert not first.data.need("events").equals(other.data.need("events"))

    def test_it_says_where_it_comes_from(self, method, view):
        synthetic = made(method, view)
        assert synthetic.synthesizer == method
        assert synthetic.seed == 3
        assert synthetic.source_sha256 == view.fingerprint

    def test_it_accepts_nothing_but_a_private_view(self, method):
        raw: Any = Dataset(items=ITEMS, events=events_of())
        assert SYNTHESIZERS.get(method).fit.__annotations__["view"] is PrivateView
        with pytest.raises(PrivacyError, match=r"expected a PrivateView, got Dataset.*open_view"):
            make_synthesizer(method, {}).fit(raw, seed=1)

    def test_it_refuses_modes_it_does_not_declare(self, method):
        for mode in sorted(MODES - SYNTHESIZERS.get(method).modes):
            told = rf"got {mode}; choose another \[privacy\] mode or a synthesizer that declares"
            with pytest.raises(PrivacyError, match=told):
                make_synthesizer(method, {}).fit(view_of(events_of(), mode=mode), seed=1)

    def test_an_unknown_option_is_refused_with_the_nearest_name(self, method):
        known = next(iter(SYNTHESIZERS.get(method).Options.model_fields), "")
        meant = f"mean '{known}'" if known else "Known: none"
        with pytest.raises(RecipeError, match=rf"generate\.{method}\.options.*{meant}"):
            make_synthesizer(method, {f"{known}x": 1})

    def test_it_makes_positions_where_the_shop_has_no_times(self, method):
        events = made(method, view_of(events_of("position"))).data.need("events")
        assert "timestamp" not in events.columns
        counted = events.group_by("user_id", maintain_order=True).agg(pl.col("position"))
        assert all(row.to_list() == list(range(row.len())) for row in counted["position"])

    def test_one_user_with_one_event_is_enough(self, method):
        one = events_of().head(1)
        events = made(method, view_of(one), n=4).data.need("events")
        assert events["user_id"].n_unique() == 4

    def test_one_user_with_a_history_is_enough(self, method):
        one = events_of().filter(pl.col("user_id") == "person-8")
        events = made(method, view_of(one), n=4).data.need("events")
        assert events["user_id"].n_unique() == 4

    def test_impossible_requests_are_refused(self, method, view):
        synthesizer = make_synthesizer(method, SMALL_OPTIONS.get(method, {}))
        with pytest.raises(InputError, match="expected fit before sample"):
            synthesizer.sample(1, seed=1)
        synthesizer.fit(view, seed=1)
        with pytest.raises(InputError, match="at least 1 user, got 0"):
            synthesizer.sample(0, seed=1)
        with pytest.raises(InputError, match="got users"):
            synthesizer.sample(1, seed=1, conditions=Conditions(users=pl.DataFrame({"age": [3]})))


@pytest.fixture(scope="module")
def searched():
    """A view of a shop whose people search for cups, two of them in words of their own."""
    texts = [f"{('blue', 'red', 'green')[n % 3]} cup" for n in range(30)]
    queries = pl.DataFrame(
        {
            "query_id": [f"search-{n}" for n in range(32)],
            "text": [*texts, "zyx-canary-9317", "blue cup of zyx-canary-9317"],
        }
    )
    judgments = queries.select("query_id", item_id=pl.lit("item-07"), grade=pl.lit(3.0))
    data = Dataset(items=ITEMS, queries=queries, judgments=judgments)
    return PrivateView(data, mode="public", fingerprint="f" * 64, max_events_per_user=8)


@pytest.mark.parametrize("method", SEARCHED)
class TestEverySynthesizerOfJudgments:
    """What makes searches and judges items for them; ``n`` is the number of searches."""

    def test_it_declares_what_it_is(self, method):
        cls = SYNTHESIZERS.get(method)
        assert issubclass(cls.Options, Settings)
        assert cls.modes
        assert cls.modes <= MODES
        assert all(field.description for field in cls.Options.model_fields.values())

    def test_every_search_is_judged_and_every_key_is_valid(self, method, searched):
        synthetic = made(method, searched, n=20)
        queries, judgments = synthetic.data.need("queries"), synthetic.data.need("judgments")
        assert queries.height == 20
        assert queries["query_id"].is_unique().all()
        assert queries["query_id"].str.starts_with(f"synthetic-{method}-").all()
        assert set(judgments["query_id"]) == set(queries["query_id"])
        assert judgments["item_id"].is_in(ITEMS["item_id"].implode()).all()
        assert judgments.select("query_id", "item_id").is_unique().all()
        assert judgments["grade"].is_in([0.0, 1.0, 2.0, 3.0]).all()
        assert synthetic.data.items.equals(searched.items)

    def test_what_one_person_wrote_stays_there(self, method, searched):
        if method == "noise_queries":
            pytest.skip("a control: its rows are judged inside the shop and never released")
        synthetic = made(method, searched, n=60)
        assert not synthetic.data.need("queries")["text"].str.contains("canary|9317|zyx").any()

    def test_the_same_seed_gives_the_same_rows_and_another_one_others(self, method, searched):
        first, again, other = (made(method, searched, seed=seed).data for seed in (3, 3, 4))
        for table in ("queries", "judgments"):
            assert first.need(table).equals(again.need(table))
        assert not first.need("queries").equals(other.need("queries"))

    def test_it_says_where_it_comes_from(self, method, searched):
        synthetic = made(method, searched)
        assert (synthetic.synthesizer, synthetic.seed) == (method, 3)
        assert synthetic.source_sha256 == searched.fingerprint

    def test_it_accepts_nothing_but_a_private_view_of_its_modes(self, method):
        raw: Any = Dataset(items=ITEMS)
        with pytest.raises(PrivacyError, match=r"expected a PrivateView, got Dataset.*open_view"):
            make_synthesizer(method, SMALL_OPTIONS.get(method, {})).fit(raw, seed=1)
        for mode in sorted(MODES - SYNTHESIZERS.get(method).modes):
            with pytest.raises(PrivacyError, match=rf"got {mode}; choose another"):
                make_synthesizer(method, SMALL_OPTIONS.get(method, {})).fit(
                    view_of(events_of(), mode=mode), seed=1
                )

    def test_a_shop_without_searches_or_events_is_enough(self, method):
        bare = PrivateView(
            Dataset(items=ITEMS), mode="public", fingerprint="f" * 64, max_events_per_user=8
        )
        if method in NEED_JUDGMENTS:
            with pytest.raises(InputError, match="needs the table queries"):
                made(method, bare, n=5)
        else:
            assert made(method, bare, n=5).data.need("queries").height == 5

    def test_impossible_requests_are_refused(self, method, searched):
        synthesizer = make_synthesizer(method, SMALL_OPTIONS.get(method, {}))
        with pytest.raises(InputError, match="expected fit before sample"):
            synthesizer.sample(1, seed=1)
        synthesizer.fit(searched, seed=1)
        with pytest.raises(InputError, match=r"at least 1 .*got 0"):
            synthesizer.sample(0, seed=1)
        with pytest.raises(InputError, match="got item_ids"):
            synthesizer.sample(1, seed=1, conditions=Conditions(item_ids=("item-01",)))


@pytest.fixture(scope="module")
def reviewed():
    """A view of a shop whose people review cups, one of them in words of their own."""
    rows = [
        (f"review-{n}", f"item-{n % N_ITEMS:02d}", f"I like my cup, says {n}", 1.0 + n % 5)
        for n in range(40)
    ]
    names = ["review_id", "item_id", "text", "rating"]
    told = pl.DataFrame(
        [*rows, ("review-40", "item-01", "zyx-canary-9317", 5.0)], schema=names, orient="row"
    )
    data = Dataset(items=ITEMS, reviews=told)
    return PrivateView(data, mode="public", fingerprint="f" * 64, max_events_per_user=8)


@pytest.mark.parametrize("method", REVIEWED)
class TestEverySynthesizerOfReviews:
    """What writes reviews; ``n`` is their number."""

    def test_it_declares_what_it_is(self, method):
        cls = SYNTHESIZERS.get(method)
        assert issubclass(cls.Options, Settings)
        assert cls.modes
        assert cls.modes <= MODES
        assert all(field.description for field in cls.Options.model_fields.values())

    def test_every_review_is_whole_and_of_an_item(self, method, reviewed):
        synthetic = made(method, reviewed, n=20)
        reviews, real = synthetic.data.need("reviews"), reviewed.rows.need("reviews")
        assert reviews.height == 20
        assert reviews["review_id"].is_unique().all()
        assert reviews["review_id"].str.starts_with(f"synthetic-{method}-").all()
        assert reviews["item_id"].is_in(ITEMS["item_id"].implode()).all()
        assert reviews["rating"].is_in(real["rating"].implode()).all()
        for column in filled_columns("reviews", reviews):
            assert reviews[column].null_count() == 0, column
        assert set(reviews.columns) <= set(real.columns)

    def test_the_same_seed_gives_the_same_rows_and_another_one_others(self, method, reviewed):
        first, again, other = (made(method, reviewed, seed=seed).data for seed in (3, 3, 4))
        assert first.need("reviews").equals(again.need("reviews"))
        assert not first.need("reviews").equals(other.need("reviews"))

    def test_it_says_where_it_comes_from(self, method, reviewed):
        synthetic = made(method, reviewed)
        assert (synthetic.synthesizer, synthetic.seed) == (method, 3)
        assert synthetic.source_sha256 == reviewed.fingerprint

    def test_it_accepts_nothing_but_a_private_view_of_its_modes(self, method):
        synthesizer = make_synthesizer(method, SMALL_OPTIONS.get(method, {}))
        raw: Any = Dataset(items=ITEMS)
        with pytest.raises(PrivacyError, match=r"expected a PrivateView, got Dataset.*open_view"):
            synthesizer.fit(raw, seed=1)
        for mode in sorted(MODES - SYNTHESIZERS.get(method).modes):
            with pytest.raises(PrivacyError, match=rf"got {mode}; choose another"):
                synthesizer.fit(view_of(events_of(), mode=mode), seed=1)

    def test_impossible_requests_are_refused(self, method, reviewed):
        synthesizer = make_synthesizer(method, SMALL_OPTIONS.get(method, {}))
        with pytest.raises(InputError, match="expected fit before sample"):
            synthesizer.sample(1, seed=1)
        synthesizer.fit(reviewed, seed=1)
        with pytest.raises(InputError, match=r"at least 1 .*got 0"):
            synthesizer.sample(0, seed=1)
        with pytest.raises(InputError, match="got item_ids"):
            synthesizer.sample(1, seed=1, conditions=Conditions(item_ids=("item-01",)))


@pytest.fixture(scope="module")
def catalogue():
    """A view of a shop that has items and nothing else."""
    return PrivateView(
        Dataset(items=ITEMS), mode="public", fingerprint="f" * 64, max_events_per_user=8
    )


@pytest.mark.parametrize("method", WRITTEN)
class TestEverySynthesizerOfFurtherTables:
    """What writes about items; ``n`` is the number of rows of its main table."""

    def test_it_declares_what_it_is(self, method):
        cls = SYNTHESIZERS.get(method)
        assert issubclass(cls.Options, Settings)
        assert cls.modes
        assert cls.modes <= MODES
        assert all(field.description for field in cls.Options.model_fields.values())

    def test_every_row_is_of_an_item_and_no_table_is_the_shops(self, method, catalogue):
        synthetic = made(method, catalogue, n=20)
        main = SYNTHESIZERS.get(method).table
        (key,) = FURTHER[main].key
        assert synthetic.need(main).height == 20
        assert synthetic.need(main)[key].str.starts_with(f"synthetic-{method}-").all()
        # That keys are whole and name rows is checked where the sample is made.
        parts = {name for name, spec in FURTHER.items() if main in spec.references.values()}
        assert set(synthetic.further) == {main, *parts}
        assert list(synthetic.data.tables()) == ["items"]
        assert synthetic.data.items.equals(catalogue.items)

    def test_the_same_seed_gives_the_same_rows_and_another_one_others(self, method, catalogue):
        main = SYNTHESIZERS.get(method).table
        first, again, other = (made(method, catalogue, seed=seed) for seed in (3, 3, 4))
        assert all(first.need(name).equals(again.need(name)) for name in first.further)
        assert not first.need(main).equals(other.need(main))

    def test_it_says_where_it_comes_from(self, method, catalogue):
        synthetic = made(method, catalogue)
        assert (synthetic.synthesizer, synthetic.seed) == (method, 3)
        assert synthetic.source_sha256 == catalogue.fingerprint

    def test_it_accepts_nothing_but_a_private_view_of_its_modes(self, method):
        synthesizer = make_synthesizer(method, SMALL_OPTIONS.get(method, {}))
        raw: Any = Dataset(items=ITEMS)
        with pytest.raises(PrivacyError, match=r"expected a PrivateView, got Dataset.*open_view"):
            synthesizer.fit(raw, seed=1)
        for mode in sorted(MODES - SYNTHESIZERS.get(method).modes):
            with pytest.raises(PrivacyError, match=rf"got {mode}; choose another"):
                synthesizer.fit(view_of(events_of(), mode=mode), seed=1)

    def test_impossible_requests_are_refused(self, method, catalogue):
        synthesizer = make_synthesizer(method, SMALL_OPTIONS.get(method, {}))
        with pytest.raises(InputError, match="expected fit before sample"):
            synthesizer.sample(1, seed=1)
        synthesizer.fit(catalogue, seed=1)
        with pytest.raises(InputError, match=r"at least 1 .*got 0"):
            synthesizer.sample(0, seed=1)
        with pytest.raises(InputError, match="got item_ids"):
            synthesizer.sample(1, seed=1, conditions=Conditions(item_ids=("item-01",)))


def private_view(epsilon=1.0):
    """A view in mode dp of a shop without times, so that no public period has to be declared."""
    return PrivateView(
        Dataset(items=ITEMS, events=events_of("position")),
        mode="dp",
        fingerprint="f" * 64,
        max_events_per_user=16,
        users_bound=N_USERS,
        purse=purse_of(epsilon, SeededNoise(1)),
    )


def bought(method, view):
    return make_synthesizer(method, SMALL_PRIVATE_OPTIONS.get(method, {})).fit(view, seed=1)


def test_the_suite_found_the_methods_of_mode_dp():
    assert {"markov", "sequence_lm"} <= set(PRIVATE)


@pytest.mark.parametrize("method", PRIVATE)
class TestEverySynthesizerOfModeDp:
    def test_it_buys_what_it_learns_and_no_more(self, method):
        view = private_view()
        synthetic = bought(method, view).sample(50, seed=3)
        till = view._purse.till
        assert till.reserved == till.committed >= 1
        assert 0.9 < compose(till.charges).epsilon(till.delta) <= 1.0
        events = synthetic.data.need("events")
        assert events["user_id"].n_unique() == 50
        assert events["item_id"].is_in(ITEMS["item_id"].implode()).all()

    def test_it_draws_anew_without_paying(self, method):
        view = private_view()
        synthesizer = bought(method, view)
        paid = view._purse.till.reserved
        first, again, other = (
            synthesizer.sample(30, seed=s).data.need("events") for s in (3, 3, 4)
        )
        assert first.equals(again)
        assert not first.equals(other)
        assert view._purse.till.reserved == paid


def test_an_unknown_method_lists_the_known_ones():
    with pytest.raises(UnknownNameError, match="did you mean 'markov'"):
        make_synthesizer("markow", {})


class ShoutOptions(Settings):
    """Options of the plug-in below."""

    volume: int = 1
    """How loud."""


def test_a_synthesizer_can_be_added_in_one_place(view):
    @register("shout")
    class Shout:
        Options: ClassVar[type[Settings]] = ShoutOptions
        modes: ClassVar[frozenset[str]] = frozenset({"deidentify"})
        table: ClassVar[str] = "events"

        def __init__(self, options):
            self.options = options

        def fit(self, view, *, seed, progress=None):
            check_view(view, "shout", self.modes)
            self.view = view
            return self

        def sample(self, n, *, conditions=None, seed, progress=None):
            check_request(n, conditions, "shout")
            events = self.view.events().head(1).with_columns(user_id=pl.lit("synthetic-shout-1"))
            data = Dataset(items=self.view.items, events=events)
            return SyntheticDataset(data, "shout", "0" * 64, seed, self.view.fingerprint)

    try:
        assert "shout" in SYNTHESIZERS.names()
        synthesizer: Any = make_synthesizer("shout", {"volume": 11})
        assert synthesizer.options.volume == 11
        assert synthesizer.fit(view, seed=1).sample(1, seed=1).synthesizer == "shout"
    finally:
        SYNTHESIZERS._classes.pop("shout")


def test_no_file_of_the_room_imports_another_stage():
    folder = Path(shopsynth.generate.__file__).parent
    files = sorted(folder.glob("*.py"))
    assert len(files) > len(METHODS)
    imported = {
        name
        for file in files
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        for name in _imports(node)
        if name.startswith("shopsynth")
    }
    assert "shopsynth.privacy" in imported
    allowed = ("shopsynth.schema", "shopsynth.text", "shopsynth.privacy", "shopsynth.generate")
    assert not [name for name in imported if not name.startswith(allowed)]


def _imports(node):
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []
