"""Registry, settings, errors, fingerprints: one file adds a method, names are checked."""

from importlib.metadata import EntryPoint

import polars as pl
import pytest

import shopsynth
from shopsynth.schema import (
    SILENT,
    Dataset,
    GateError,
    InterruptedRunError,
    PrivacyError,
    RecipeError,
    Registry,
    SchemaError,
    Settings,
    ShopsynthError,
    UnknownNameError,
    collect,
    derived_seed,
    nearest,
    sha256_of,
    sha256_of_file,
    stable_bucket,
)
from shopsynth.schema import registry as registry_module


def test_names_are_listed_without_imports_and_found_by_file_name():
    rankers: Registry = Registry("train.next_item", support=frozenset({"task"}))
    assert {"popularity", "item_knn"} <= set(rankers.names())
    assert not {"base", "task"} & set(rankers.names())


def test_an_unknown_name_lists_the_known_and_the_nearest():
    rankers: Registry = Registry("train.next_item", support=frozenset({"task"}))
    with pytest.raises(UnknownNameError, match="did you mean 'popularity'"):
        rankers.get("popularty")


def test_a_room_of_which_there_is_no_package_has_registered_methods_only():
    methods: Registry = Registry("no_such_room")
    assert methods.names() == []


def test_folders_can_be_methods_and_plug_ins_have_their_own_group(monkeypatch):
    asked: list[str] = []

    def points(group: str) -> list[EntryPoint]:
        asked.append(group)
        return []

    monkeypatch.setattr(registry_module, "entry_points", points)
    tasks: Registry = Registry("train", group="shopsynth.tasks", folders=True)
    assert {"next_item", "search"} <= set(tasks.names())
    assert asked == ["shopsynth.tasks"]


def test_two_classes_cannot_share_a_name():
    methods: Registry = Registry("schema")

    @methods.register("one")
    class First:
        pass

    with pytest.raises(ShopsynthError, match="two classes claim the name 'one'"):

        @methods.register("one")
        class Second:
            pass

    assert methods.get("one") is First


def test_a_plug_in_is_found_and_may_not_take_a_built_in_name(monkeypatch):
    def points(group):
        name = "pathlike" if group == "shopsynth.schema" else "popularity"
        return [EntryPoint(name, "pathlib:Path", group)]

    monkeypatch.setattr(registry_module, "entry_points", points)
    methods: Registry = Registry("schema")
    assert "pathlike" in methods.names()
    assert methods.get("pathlike").__name__ == "Path"
    assert len(methods.source_sha256("pathlike")) == 64
    with pytest.raises(ShopsynthError, match="takes the name 'popularity'"):
        Registry("train.next_item", support=frozenset({"task"})).names()


class Inner(Settings):
    epsilon: float = 1.0
    """Budget."""


class Outer(Settings):
    privacy: Inner = Inner()
    many: tuple[Inner, ...] = ()
    free: dict[str, Inner] = {}
    maybe: Inner | None = None


@pytest.mark.parametrize(
    "values",
    [
        {"privacy": {"epsilom": 1}},
        {"many": [{"epsilom": 1}]},
        {"free": {"x": {"epsilom": 1}}},
        {"maybe": {"epsilom": 1}},
    ],
)
def test_unknown_keys_name_the_nearest_at_any_depth(values):
    with pytest.raises(RecipeError, match="did you mean 'epsilon'"):
        Outer.parse(values, "recipe.toml")


def test_errors_know_their_exit_codes_and_builtins():
    assert (PrivacyError.exit_code, GateError.exit_code) == (3, 3)
    assert InterruptedRunError.exit_code == 4
    assert issubclass(SchemaError, ValueError)
    assert str(UnknownNameError("x 'y'")) == "x 'y'"
    assert str(ShopsynthError()) == "ShopsynthError"


def test_collect_says_nothing_one_or_all():
    collect("t", [])
    with pytest.raises(SchemaError, match=r"^t: one$"):
        collect("t", ["one"])
    with pytest.raises(SchemaError, match="2 faults\n  - one\n  - two"):
        collect("t", ["one", "two"])
    assert nearest("zzz", ["a"]) == "Known: a"


def test_hashes_seeds_and_buckets_are_stable(tmp_path):
    (tmp_path / "f").write_bytes(b"abc")
    assert sha256_of_file(tmp_path / "f").startswith("ba7816bf")
    assert sha256_of({"a": 1, "b": 2}) == sha256_of({"b": 2, "a": 1})
    assert derived_seed(7, "a") == derived_seed(7, "a") != derived_seed(7, "b")
    keys = pl.Series([f"u{n % 100}" for n in range(1000)])
    buckets = stable_bucket(keys, 8)
    assert buckets.n_unique() == 8
    assert pl.DataFrame({"k": keys, "b": buckets}).unique().height == 100


def test_public_names_load_on_first_use():
    assert shopsynth.Dataset is Dataset
    assert "run" in dir(shopsynth)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = shopsynth.nothing
    SILENT.start("x", 1)
    SILENT.advance()
