"""The repository's pages and the script that writes parts of them."""

import re
import sys
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def reference():
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        yield import_module("reference")
    finally:
        sys.path.remove(str(ROOT / "scripts"))


@pytest.fixture(scope="session")
def prose() -> dict[str, str]:
    """Every page a reader may meet, by its path, as text."""
    paths = [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
    ]
    found = {str(p.relative_to(ROOT)): p.read_text(encoding="utf-8") for p in sorted(paths)}
    assert {"README.md", "README.zh-CN.md", "docs/index.md", "docs/zh/index.md"} <= set(found)
    return found


@pytest.fixture(scope="session")
def code(prose):
    """All fenced blocks of a language: pairs of page and code."""

    def find(language: str) -> list[tuple[str, str]]:
        fence = re.compile(rf"^```{language}\n(.*?)^```", re.DOTALL | re.MULTILINE)
        found = [(page, block) for page, text in prose.items() for block in fence.findall(text)]
        assert found, f"no {language} block in any page: the test would check nothing"
        return found

    return find
