"""The pseudonym key: environment first, else one private file, made once."""

import stat
import threading

import pytest

from shopsynth.privacy import PrivacySettings, key_id, load_key
from shopsynth.schema import PrivacyError

SETTINGS = PrivacySettings(mode="deidentify", key_env="TEST_SHOP_KEY")


@pytest.fixture
def key_path(monkeypatch, tmp_path):
    monkeypatch.delenv("TEST_SHOP_KEY", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return tmp_path / "shopsynth" / "pseudonym.key"


def test_environment_wins_over_the_file(monkeypatch, key_path):
    monkeypatch.setenv("TEST_SHOP_KEY", " sixteen-letters!\n")
    assert load_key(SETTINGS) == b"sixteen-letters!"
    assert not key_path.exists()


def test_the_file_is_made_once_and_private(key_path):
    first = load_key(SETTINGS)
    assert len(first) == 64
    assert stat.S_IMODE(key_path.stat().st_mode) == 0o600
    assert load_key(SETTINGS) == first
    assert [path.name for path in key_path.parent.iterdir()] == ["pseudonym.key"]


def test_the_home_folder_is_used_without_xdg(monkeypatch, tmp_path):
    monkeypatch.delenv("TEST_SHOP_KEY", raising=False)
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    load_key(SETTINGS)
    assert (tmp_path / ".config" / "shopsynth" / "pseudonym.key").is_file()


def test_all_racing_readers_get_the_same_key(key_path):
    keys = []
    threads = [threading.Thread(target=lambda: keys.append(load_key(SETTINGS))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 8
    assert len(set(keys)) == 1


def test_a_short_key_is_refused_without_being_shown(monkeypatch):
    monkeypatch.setenv("TEST_SHOP_KEY", "hunter2")
    with pytest.raises(PrivacyError, match=r"TEST_SHOP_KEY.*at least 16 bytes, got 7") as caught:
        load_key(SETTINGS)
    assert "hunter2" not in str(caught.value)


def test_a_file_others_can_read_is_refused(key_path):
    load_key(SETTINGS)
    key_path.chmod(0o644)
    with pytest.raises(PrivacyError, match="chmod 600"):
        load_key(SETTINGS)


def test_a_folder_that_cannot_be_made_names_the_way_out(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.delenv("TEST_SHOP_KEY", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "file"))
    with pytest.raises(PrivacyError, match="set the environment variable TEST_SHOP_KEY"):
        load_key(SETTINGS)


def test_a_key_is_named_without_being_told():
    key = b"sixteen-letters!"
    assert key_id(key) == key_id(bytes(key))
    assert key_id(key) != key_id(key + b"?")
    assert key.hex() not in key_id(key)
