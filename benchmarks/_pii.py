"""Compare what a PII finder found with the labels of tests/data/pii.

In: texts with labels and the findings for each. Out: shares with their 95 % Wilson intervals, and
every miss by the id of its text.
"""

import json
import math
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

FOLDER = Path(__file__).parents[1] / "tests" / "data" / "pii"
COVERED = 0.9
TRAPS = ("brand", "model")

Text = dict[str, Any]


class Span(Protocol):
    """A finding, as far as it is looked at here: a kind and where it is in the raw text."""

    @property
    def kind(self) -> str: ...
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


def read_set(language: str) -> list[Text]:
    lines = (FOLDER / f"{language}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def read_brands(language: str) -> tuple[str, ...]:
    return tuple((FOLDER / f"brands_{language}.txt").read_text(encoding="utf-8").splitlines())


def covered(start: int, end: int, findings: Sequence[Span]) -> float:
    """Return the share of [start, end) that findings cover."""
    places = set(range(start, end))
    left = places.difference(*(range(one.start, one.end) for one in findings))
    return 1 - len(left) / len(places)


def score(texts: Sequence[Text], found: Sequence[Sequence[Span]]) -> dict[str, Any]:
    """Compare findings with labels.

    Returns:
        `structured`, `structured_any_kind`, `names`, `names_any_kind`, `false_hits`,
        `false_hits_all` and `precision` as shares with interval; `kinds` with the recall of each;
        `missed`, `hit_by_mistake` and `beside_labels` as lists of "id what".
    """
    hits: dict[str, list[bool]] = defaultdict(list)
    traps: dict[str, list[bool]] = defaultdict(list)
    right: list[bool] = []
    missed, mistaken, beside = [], [], []
    any_kind: dict[bool, list[bool]] = {True: [], False: []}
    for text, findings in zip(texts, found, strict=True):
        for entity in text["entities"]:
            kind, start, end = entity["kind"], entity["start"], entity["end"]
            same = [one for one in findings if one.kind == kind]
            hits[kind].append(covered(start, end, same) >= COVERED)
            any_kind[kind == "NAME"].append(covered(start, end, findings) >= COVERED)
            if not hits[kind][-1]:
                missed.append(f"{text['id']} {kind}")
        for span in text["hard_negatives"]:
            touched = covered(span["start"], span["end"], findings) > 0
            traps[span["what"]].append(touched)
            if touched:
                mistaken.append(f"{text['id']} {span['what']}")
        for one in findings:
            # A finding is right when it lies on labelled entities for the better part.
            inside = sum(
                max(0, min(one.end, entity["end"]) - max(one.start, entity["start"]))
                for entity in text["entities"]
            )
            # A name with its title counts: the surname alone may be the smaller part.
            right.append(inside * 2 >= one.end - one.start or (one.kind == "NAME" and inside > 0))
            if not right[-1]:
                beside.append(f"{text['id']} {one.kind}")
    structured = [hit for kind, each in hits.items() if kind != "NAME" for hit in each]
    return {
        "structured": share(structured),
        "structured_any_kind": share(any_kind[False]),
        "names": share(hits["NAME"]),
        "names_any_kind": share(any_kind[True]),
        "false_hits": share([hit for what in TRAPS for hit in traps[what]]),
        "false_hits_all": share([hit for each in traps.values() for hit in each]),
        "precision": share(right),
        "kinds": {kind: f"{sum(each)}/{len(each)}" for kind, each in sorted(hits.items())},
        "missed": missed,
        "hit_by_mistake": mistaken,
        "beside_labels": beside,
    }


def share(outcomes: Sequence[bool]) -> dict[str, float]:
    """Return the share of true outcomes, its 95 % Wilson interval, and the number."""
    n, z = len(outcomes), 1.959964
    if not n:
        return {"value": math.nan, "low": 0.0, "high": 1.0, "n": 0}
    rate = sum(outcomes) / n
    centre = (rate + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    low, high = max(0.0, centre - half), min(1.0, centre + half)
    return {
        "value": round(rate, 4),
        "low": round(min(low, rate), 4),
        "high": round(max(high, rate), 4),
        "n": n,
    }
