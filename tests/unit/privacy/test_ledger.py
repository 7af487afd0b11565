"""The ledger: what it grants, what it refuses, and what it notices."""

import json
import math
import os
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from filelock import FileLock

from shopsynth.privacy.accounting import compose, gaussian_epsilon, gaussian_mu
from shopsynth.privacy.charges import Charge
from shopsynth.privacy.ledger import Ledger, ledger_folder, open_ledger, source_id
from shopsynth.privacy.settings import PrivacySettings
from shopsynth.privacy.till import RunTill
from shopsynth.schema import PrivacyError, PrivacyLedger, SourceError

KEY = b"k" * 32
DELTA = 1e-6
PLAN = [Charge("lengths", "gaussian", 10.0, count=2)]


class Shop:
    """Where a test's ledgers lie."""

    def __init__(self, home: Path) -> None:
        self.folder, self.heads = home / "ledger", home / "heads"

    def open(self, source="shop", *, key=KEY, budget="standard", delta=DELTA, folder=None):
        return Ledger.open(
            folder or self.folder,
            source=source,
            key=key,
            budget=budget,
            delta=delta,
            heads=self.heads,
            clock=lambda: datetime(2026, 1, 1, tzinfo=UTC),
        )

    def record(self, source="shop") -> Path:
        return self.folder / f"{source_id(source, KEY)}.jsonl"

    def head(self, source="shop") -> Path:
        return self.heads / f"{source_id(source, KEY)}.json"

    def lines(self) -> list[dict]:
        return [json.loads(line) for line in self.record().read_text().splitlines()]


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path)


def spend(ledger, charges=None, *, epsilon=1.0, delta=DELTA, data="data", run="", actor="markov"):
    return ledger.reserve(
        PLAN if charges is None else charges,
        fingerprint=data,
        run_epsilon=epsilon,
        run_delta=delta,
        actor=actor,
        run=run,
    )


def gaussian(mu: float) -> list[Charge]:
    return [Charge("counts", "gaussian", 1 / mu)]


# ---- granting ------------------------------------------------------------------------------------


def test_what_is_reserved_is_told_with_everything_that_a_receipt_needs(shop):
    ledger = shop.open()
    name = spend(ledger)
    ledger.commit(name)
    spend(ledger, [Charge("steps", "poisson_gaussian", 2.0, 10, 0.01)], actor="gru")
    told = ledger.snapshot()
    first, second = told.entries
    assert (first.mechanism, first.status, second.status) == ("lengths", "committed", "reserved")
    assert first.mu == pytest.approx(math.sqrt(2) / 10)
    assert first.epsilon == gaussian_epsilon(first.mu, DELTA)
    assert first.charges[0]["noise_multiplier"] == 10.0
    assert first.detail["relation"] == "add or remove one user"
    assert (first.detail["adaptive"], second.detail["adaptive"]) == (False, True)
    assert second.detail["filter"] == first.detail["filter"]
    assert first.detail["filter"]["kind"] == "gdp"
    assert len(first.detail["code"]) == 64
    assert (first.detail["rng"], second.detail["actor"]) == ("operating system", "gru")
    joint = compose([*PLAN, Charge("steps", "poisson_gaussian", 2.0, 10, 0.01)])
    assert told.epsilon == joint.epsilon(DELTA)
    assert (told.mu, told.delta, told.budget) == (joint.mu(DELTA), DELTA, "standard")
    assert PrivacyLedger.from_json(json.loads(json.dumps(told.to_json()))) == told


def test_the_record_names_neither_source_nor_key_and_is_its_owners_alone(shop):
    spend(shop.open("the secret shop"))
    kept = b"".join(path.read_bytes() for path in shop.folder.iterdir())
    assert b"secret" not in kept
    assert KEY not in kept
    if os.name == "posix":
        files = [*shop.folder.iterdir(), *shop.heads.iterdir()]
        assert len(files) == 4
        assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
        assert {path.stat().st_mode & 0o777 for path in (shop.folder, shop.heads)} == {0o700}


def test_allowance_is_what_a_run_may_take_in_parts_and_no_more(shop):
    ledger = shop.open()
    till = RunTill(ledger, 1.0, DELTA, "data")
    whole = till.allowance()
    assert whole == pytest.approx(gaussian_mu(1.0, DELTA), rel=1e-3)
    for _ in range(3):
        till.commit(till.reserve(gaussian(whole / math.sqrt(3)), "markov"))
        assert till.left() == whole, "methods of a run share one whole"
    with pytest.raises(PrivacyError, match="this run's budget of epsilon 1") as refused:
        till.reserve(gaussian(whole / 10), "markov")
    assert "nothing was spent" in str(refused.value)
    assert len(ledger.account().reservations) == 3
    assert RunTill(ledger, 1.0, DELTA, "data").left() == whole, "the next run has its own"


def test_runs_fill_the_life_of_a_source_and_then_nothing_is_left(shop):
    ledger = shop.open()
    for refresh in range(30):
        allowed = ledger.allowance(1.0, DELTA)
        if allowed < 1e-3:
            break
        spend(ledger, gaussian(allowed), data=f"data {refresh}")
    told = ledger.snapshot()
    assert len(told.entries) == 8
    assert 2.99 < told.epsilon <= 3.0
    with pytest.raises(PrivacyError, match="the source's whole budget of epsilon 3") as refused:
        spend(ledger)
    assert refused.value.exit_code == 3
    assert "shopsynth privacy budget" in str(refused.value)


def test_a_first_plan_may_use_a_whole_budget_as_one_distribution_and_later_ones_may_not(shop):
    steps = Charge("steps", "poisson_gaussian", 1.0, 1500, 0.01)
    plan = [steps, Charge("votes", "gaussian", 20.0, 10), Charge("m", "gaussian", 30.0, 60)]
    ledger = shop.open()
    spend(ledger, plan, epsilon=3.0)
    assert ledger.snapshot().epsilon == pytest.approx(2.92, abs=0.005)
    assert ledger.snapshot().left == 0.0
    other = shop.open("another shop")
    spend(other, gaussian(0.01), epsilon=3.0, data="other data")
    with pytest.raises(PrivacyError, match="the source's whole"):
        spend(other, plan, epsilon=3.0, data="other data")


def test_small_choices_one_after_the_other_are_held_to_a_renyi_order(shop):
    ledger = shop.open()
    for _ in range(5):
        spend(ledger, [Charge("choice", "pure", 20.0)])
    assert {entry.detail["filter"]["kind"] for entry in ledger.snapshot().entries} == {"rdp"}
    assert 0 < ledger.allowance(1.0, DELTA) < gaussian_mu(1.0, DELTA)


def test_a_plan_that_asks_more_than_its_run_is_refused_before_anything_is_written(shop):
    ledger = shop.open()
    before = shop.record().read_bytes()
    with pytest.raises(PrivacyError, match="got one of epsilon 4"):
        spend(ledger, gaussian(0.9))
    for epsilon, delta in [(math.nan, DELTA), (-1.0, DELTA), (math.inf, DELTA), (1.0, 1.0)]:
        with pytest.raises(PrivacyError, match="finite epsilon above 0"):
            spend(ledger, epsilon=epsilon, delta=delta)
    assert shop.record().read_bytes() == before


def test_a_weak_budget_has_no_bound_and_says_so(shop):
    ledger = shop.open(budget="weak")
    for _ in range(3):
        spend(ledger, gaussian(1.5), epsilon=8.0)
    told = ledger.snapshot()
    assert (told.budget, told.left) == ("weak", None)
    assert told.epsilon > 8


def test_committing_is_once_and_for_what_was_reserved(shop):
    ledger = shop.open()
    name = spend(ledger)
    ledger.commit(name)
    with pytest.raises(PrivacyError, match="committed before"):
        ledger.commit(name)
    with pytest.raises(PrivacyError, match="none of that id"):
        ledger.commit("nothing")


# ---- one budget for life -------------------------------------------------------------------------


def test_a_lower_budget_tightens_for_good_and_a_higher_one_is_refused(shop):
    shop.open(budget="standard")
    assert shop.open(budget="strict").account().epsilon == 1.0
    with pytest.raises(PrivacyError, match=r"budget of strict at most.*--raise standard"):
        shop.open(budget="standard")
    assert [line["event"] for line in shop.lines()] == ["opened", "budget_tightened"]


def test_the_smaller_delta_holds(shop):
    shop.open(delta=1e-6)
    assert shop.open(delta=1e-7).account().delta == 1e-7
    assert shop.open(delta=1e-6).account().delta == 1e-7


def test_a_budget_is_raised_on_purpose_and_on_record(shop):
    ledger = shop.open(budget="strict")
    ledger.raise_budget("relaxed", actor="ann")
    assert ledger.account().epsilon == 8.0
    assert (shop.lines()[-1]["event"], shop.lines()[-1]["actor"]) == ("budget_raised", "ann")
    assert shop.open(budget="relaxed").account().budget == "relaxed"
    for same_or_less in ("relaxed", "standard"):
        with pytest.raises(PrivacyError, match="larger budget than relaxed"):
            ledger.raise_budget(same_or_less, actor="ann")


def test_a_refresh_adds_to_the_same_source(shop):
    spend(shop.open(), data="january")
    spend(shop.open(), data="february")
    told = shop.open().snapshot()
    assert [entry.source_fingerprint for entry in told.entries] == ["january", "february"]
    assert told.mu == pytest.approx(0.2)


def test_the_same_data_under_another_name_are_refused(shop):
    spend(shop.open("shop"))
    other = shop.open("a new name")
    with pytest.raises(PrivacyError, match=f"belong to source {source_id('shop', KEY)}"):
        spend(other)
    with pytest.raises(PrivacyError, match="a new name is no new budget"):
        other.check_owner("data")
    (shop.folder / "index.sqlite").unlink()
    with pytest.raises(PrivacyError, match="a new name is no new budget"):
        other.check_owner("data")
    other.check_owner("data that nobody spent on")
    assert spend(other, data="data that nobody spent on")


def test_another_folder_is_no_new_budget(shop, tmp_path):
    spend(shop.open())
    with pytest.raises(PrivacyError, match="0 lines, but the head"):
        shop.open(folder=tmp_path / "elsewhere")
    shutil.rmtree(tmp_path / "elsewhere")
    shutil.move(shop.folder, tmp_path / "elsewhere")
    assert len(shop.open(folder=tmp_path / "elsewhere").account().reservations) == 1


def test_another_key_is_no_new_budget(shop):
    spend(shop.open())
    with pytest.raises(PrivacyError, match="key that it was begun with"):
        shop.open(key=b"another key of 32 bytes in all..")
    with pytest.raises(PrivacyError, match="at least 16 bytes"):
        shop.open(key=b"short")


def test_find_returns_only_what_exists(shop, tmp_path):
    with pytest.raises(SourceError, match="expected a record"):
        Ledger.find(tmp_path / "none", source="shop", key=KEY, heads=shop.heads)
    assert not (tmp_path / "none").exists()
    spend(shop.open())
    found = Ledger.find(shop.folder, source="shop", key=KEY, heads=shop.heads)
    assert len(found.account().reservations) == 1
    with pytest.raises(SourceError, match="expected a record"):
        Ledger.find(shop.folder, source="other", key=KEY, heads=shop.heads)


def test_a_recipe_names_ledger_source_and_budget(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert ledger_folder() == tmp_path / "state" / "shopsynth" / "ledger"
    settings = PrivacySettings(epsilon=1.0, users=1000, budget="strict")
    ledger = open_ledger(settings, KEY, source_name="shop", fingerprint="data")
    spend(ledger)
    assert ledger.account().epsilon == 1.0
    assert (tmp_path / "config" / "shopsynth" / "heads" / f"{ledger.source}.json").exists()
    named = settings.model_copy(update={"source": "mine", "ledger": str(tmp_path / "own")})
    assert open_ledger(named, KEY, source_name="shop").folder == tmp_path / "own"
    with pytest.raises(PrivacyError, match="needs users"):
        open_ledger(PrivacySettings(epsilon=1.0), KEY, source_name="shop")


# ---- leaks 11, 12 and 13 -------------------------------------------------------------------------


@pytest.mark.planted_leak
def test_leak_11_a_selection_without_a_charge_is_refused(shop):
    with pytest.raises(PrivacyError, match="nothing that reads them is free"):
        spend(shop.open(), [])
    assert [line["event"] for line in shop.lines()] == ["opened"]


@pytest.mark.planted_leak
def test_leak_12_a_retry_after_a_failed_audit_is_a_new_charge(shop):
    ledger = shop.open(budget="strict")
    allowed = ledger.allowance(1.0, DELTA)
    spend(ledger, gaussian(allowed * 0.8))  # The audit fails; the run is not committed.
    with pytest.raises(PrivacyError, match="the source's whole"):
        spend(shop.open(budget="strict"), gaussian(allowed * 0.8))
    spend(ledger, gaussian(allowed * 0.5))
    assert [entry.status for entry in ledger.snapshot().entries] == ["reserved", "reserved"]


def _edit_noise(shop):
    text = shop.record().read_text()
    shop.record().write_text(text.replace('"noise_multiplier":10.0', '"noise_multiplier":90.0'))


def _cut_one(shop):
    lines = shop.record().read_text().splitlines(keepends=True)
    shop.record().write_text("".join(lines[:-1]))


def _cut_all(shop):
    shop.record().write_text("")


def _cut_with_head(shop):
    """Cut the file and set the head back to its last line, which stands in the file."""
    lines = shop.record().read_text().splitlines(keepends=True)
    shop.record().write_text("".join(lines[:-1]))
    before = json.loads(lines[-2])
    shop.head().write_text(json.dumps({"sequence": len(lines) - 1, "hash": before["hash"]}))


def _cut_head_and_index(shop):
    _cut_all(shop)
    (shop.folder / "index.sqlite").unlink()


def _delete_head(shop):
    shop.head().unlink()


def _garble_head(shop):
    shop.head().write_text("{}")


def _swap(shop):
    first, second, *rest = shop.record().read_text().splitlines(keepends=True)
    shop.record().write_text("".join([second, first, *rest]))


def _take_out(shop):
    first, _, *rest = shop.record().read_text().splitlines(keepends=True)
    shop.record().write_text("".join([first, *rest]))


def _repeat(shop):
    shop.record().write_text(shop.record().read_text() * 2)


def _copy_from_another_source(shop):
    other = shop.open("other")
    for _ in range(2):
        spend(other, gaussian(0.001), data="other data")
    shutil.copy(shop.record("other"), shop.record())
    shutil.copy(shop.head("other"), shop.head())


def _not_json(shop):
    shop.record().write_bytes(b"\xff\n" + shop.record().read_bytes())


def _no_object(shop):
    shop.record().write_bytes(b"7\n" + shop.record().read_bytes())


TAMPERING = {
    _edit_noise: "line 2 was edited",
    _cut_one: "2 lines, but the head .* knows 3",
    _cut_all: "0 lines, but the head .* knows 3",
    _cut_with_head: "the 3 lines it remembers",
    _cut_head_and_index: "0 lines, but the head .* knows 3",
    _delete_head: "3 lines without the head",
    _garble_head: "cannot be read",
    _swap: "says that it is line 2",
    _take_out: "says that it is line 3",
    _repeat: "says that it is line 1",
    _copy_from_another_source: "belongs to another source",
    _not_json: "line 1 was edited",
    _no_object: "line 1 was edited",
}


@pytest.mark.planted_leak
@pytest.mark.parametrize("tamper", TAMPERING, ids=lambda each: each.__name__.strip("_"))
def test_leak_13_a_record_that_was_changed_is_noticed_and_nothing_is_spent(shop, tamper):
    ledger = shop.open()
    spend(ledger)
    spend(ledger)
    tamper(shop)
    changed = shop.record().read_bytes()
    for use in (ledger.snapshot, shop.open, lambda: spend(ledger)):
        with pytest.raises(PrivacyError, match=TAMPERING[tamper]) as refused:
            use()
        assert refused.value.exit_code == 3
        assert "backup" in str(refused.value)
    assert shop.record().read_bytes() == changed, "what is wrong is left for a person to see"


@pytest.mark.planted_leak
def test_leak_13_a_line_put_in_by_somebody_without_the_key_is_noticed(shop):
    ledger = shop.open()
    forged = {**shop.lines()[-1], "event": "budget_raised", "budget": "weak", "sequence": 2}
    with shop.record().open("a") as stream:
        stream.write(json.dumps(forged) + "\n")
    with pytest.raises(PrivacyError, match="line 2 was edited, or made with another key"):
        ledger.account()


@pytest.mark.planted_leak
def test_leak_13_two_histories_cannot_be_spliced(shop, tmp_path):
    """Both were written with the key, so each line is authentic; their order is not."""
    ledger = shop.open()
    for folder in (shop.folder, shop.heads):
        shutil.copytree(folder, tmp_path / "copy" / folder.name)
    copied = Shop(tmp_path / "copy")
    for history in (ledger, copied.open()):
        spend(history)
        spend(history)
    ours, theirs = (each.record().read_text().splitlines(keepends=True) for each in (shop, copied))
    shop.record().write_text("".join([*ours[:2], theirs[2]]))
    with pytest.raises(PrivacyError, match="line 3 does not follow the one before it"):
        ledger.account()


def test_an_older_head_is_healed_by_one_line_and_not_by_two(shop):
    ledger = shop.open()
    kept = [shop.head().read_bytes()]
    for _ in range(2):
        spend(ledger)
        kept.append(shop.head().read_bytes())
    shop.head().write_bytes(kept[0])
    with pytest.raises(PrivacyError, match="more lines than the head"):
        ledger.account()
    shop.head().write_bytes(kept[1])
    assert len(ledger.account().reservations) == 2
    assert shop.head().read_bytes() == kept[2]


def test_a_head_of_another_history_is_refused(shop):
    ledger = shop.open()
    shop.head().write_text(json.dumps({"sequence": 1, "hash": "0" * 64}))
    with pytest.raises(PrivacyError, match="line 1 is not the one that the head"):
        ledger.account()


def test_a_lost_index_is_made_again_and_a_damaged_one_says_what_to_do(shop):
    ledger = shop.open()
    spend(ledger)
    index = shop.folder / "index.sqlite"
    index.unlink()
    (shop.folder / "damaged.jsonl").write_text("no json\n")
    assert len(ledger.account().reservations) == 1
    index.write_bytes(b"no SQLite file at all" * 100)
    with pytest.raises(PrivacyError, match="delete the file, it is made again"):
        ledger.account()


def test_a_lock_that_is_not_given_back_is_told(shop, monkeypatch):
    ledger = shop.open()
    monkeypatch.setattr("shopsynth.privacy.ledger._BUSY_S", 0.01)
    monkeypatch.setattr("shopsynth.privacy.ledger_index._BUSY_S", 0.01)
    with (
        FileLock(shop.head().with_suffix(".lock")),
        pytest.raises(PrivacyError, match="another process has held it"),
    ):
        spend(ledger)
    with closing(sqlite3.connect(shop.folder / "index.sqlite", isolation_level=None)) as other:
        other.execute("begin immediate")
        with pytest.raises(PrivacyError, match="another process may be spending"):
            spend(ledger)
    assert spend(ledger)
