"""Audits of a release: attacks on it as gates, each with what it could not have seen.

In: real train rows, real held-out rows, synthetic rows, and what the pipeline found or planted.
Out: a row an audit.

Some success is chance: two people buy the same three bestsellers. So everything found about
people whom the synthesizer could read is held against people it never saw, and against a stand-in
for the release (``attacks/chance.py``); only the excess counts (PRIVACY §6). The family of all
gates has an error of 1 %, split evenly. An audit never proves privacy.
"""

import polars as pl

from shopsynth.evaluate.attacks.canaries import (
    UNPROTECTED_BOUND,
    Canaries,
    canary_epsilon,
    score_canaries,
)
from shopsynth.evaluate.attacks.chance import Row, copy_row, draw
from shopsynth.evaluate.attacks.copies import (
    copied_baskets,
    copied_mostly,
    copied_runs,
    copied_whole,
)
from shopsynth.evaluate.attacks.images import near_duplicate_images
from shopsynth.evaluate.attacks.inference import infer
from shopsynth.evaluate.attacks.linkability import link
from shopsynth.evaluate.attacks.membership import membership_rows
from shopsynth.evaluate.attacks.nearest import best_jaccard
from shopsynth.evaluate.attacks.outliers import isolated_baskets, isolated_histories, outlier_row
from shopsynth.evaluate.attacks.people import N_ASKED, People, Sides
from shopsynth.evaluate.attacks.risk import excess_row
from shopsynth.evaluate.attacks.row_copies import copied_rows
from shopsynth.evaluate.attacks.rows import Rows
from shopsynth.evaluate.attacks.singling_out import single_out
from shopsynth.evaluate.attacks.texts import copied_texts, extracted
from shopsynth.schema import EVALUATION_COLUMNS, InputError

FAMILY_ERROR = 0.01
"""Chance that any gate of a release that leaks nothing fails (PRIVACY §6)."""

INPUT_IDENTIFIER = "input_identifier"
"""The ``kind`` of a finding in the output that is an identifier of the input."""

_MODE_NOTES = {
    "dp": "the guarantee is the mechanism's, not this audit's",
    "deidentify": "no guarantee stands behind this mode, and augmenters copy by design",
    "public": "the input holds no personal data by declaration",
    "unsafe_nonprivate": "nothing was protected",
}

_FINDING_COLUMNS = ("table", "column", "kind", "rows")

_N_GATES = {"histories": 13, "users": 5, "texts": 1, "images": 1}
"""Gates that chance could fail, by what is attacked."""

SHAREABLE_AUDITS: frozenset[str] = frozenset({"canary_epsilon", "canary_texts_extracted"})
"""Audits that a page for others may tell, because they ask about planted users and texts. The
numbers of all others depend on real people and leak by being told (PRIVACY §6, marked †); a new
audit is among those until it is named here."""


def audit_release(
    train: pl.DataFrame,
    heldout: pl.DataFrame,
    synthetic: pl.DataFrame,
    mode: str,
    *,
    users: Sides | None = None,
    texts: Sides | None = None,
    images: Sides | None = None,
    canaries: Canaries | None = None,
    canary_texts: pl.Series | None = None,
    pii_findings: pl.DataFrame | None = None,
    epsilon: float | None = None,
    delta: float | None = None,
    mu: float | None = None,
) -> pl.DataFrame:
    """Attack a release in every way that the given tables allow.

    Augmenters keep most of a real history, so outside mode ``dp`` a failure is to be expected and
    is reported; what follows from it is the pipeline's decision. The distance to the closest record
    is shown and never a gate: it misses verbatim rows (PRIVACY §6).

    Args:
        train: Real events the synthesizer could read.
        heldout: Real later events that it could not: the yardstick of chance.
        synthetic: The events to be released.
        mode: The privacy mode: for the sentence about power, and for what canaries may show.
        users: Users tables, where one is released.
        texts: Frames with a column ``text``: reviews, queries, dialogue.
        images: Frames with a column ``image``: paths or bytes.
        canaries: From :func:`plant_canaries`, if they were planted in ``train``.
        canary_texts: Random texts planted among the train texts.
        pii_findings: What a scan of the output found: columns ``table``, ``column``, ``kind``,
            ``rows``. The kind ``input_identifier`` is an identifier of the input; any other is a
            valid one outside the reserved ranges.
        epsilon: Claimed ε of the release in mode ``dp``.
        delta: Its δ.
        mu: Its μ of Gaussian DP.

    Returns:
        Columns of ``EVALUATION_COLUMNS["audits"]``. For copies ``value`` is a p-value and must
        exceed ``threshold``; for all others it must not exceed it: a lower bound of an area, a
        rate or ε, an upper bound of an excess risk, a count. Where an audit could not have
        failed there is no threshold: what cannot fail has not passed.

    Raises:
        InputError: If ``pii_findings`` has other columns.
    """
    given = {"histories": True, "users": users, "texts": texts, "images": images}
    level = FAMILY_ERROR / sum(_N_GATES[name] for name, each in given.items() if each is not None)
    note = _MODE_NOTES.get(mode, f"mode {mode}")
    people = People.encode(Sides(train, heldout, synthetic))
    rows = [
        *_history_copies(people, level, note),
        *membership_rows(people, level, mu if mode == "dp" else None),
        *_attribute_risks(Rows.of_histories(people), "histories", level),
        _distance_row(people),
    ]
    if users is not None:
        coded = Rows.encode(users)
        rows += [
            copy_row(name, found, level, "user rows", note)
            for name, found in copied_rows(coded).items()
        ]
        rows += _attribute_risks(coded, "user_rows", level)
    if texts is not None:
        rows.append(copy_row("copies_of_text_ngrams", copied_texts(texts), level, "texts", note))
        if canary_texts is not None:
            rows.append(_canary_text_row(canary_texts, texts))
    if images is not None:
        found = near_duplicate_images(images)
        rows.append(copy_row("near_duplicate_images", found, level, "images", note))
    if canaries is not None:
        claimed = epsilon if mode == "dp" else None
        rows.append(_canary_row(canaries, synthetic, claimed, delta or 0.0))
    if pii_findings is not None:
        rows += _pii_rows(pii_findings)
    return pl.DataFrame(rows, schema=EVALUATION_COLUMNS["audits"], orient="row")


def audit_texts(
    texts: Sides | None, mode: str, *, pii_findings: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Attack a release that has texts and no histories.

    Args:
        texts: Frames with a column ``text``; ``None`` where none were made.
        mode: As for :func:`audit_release`.
        pii_findings: As for :func:`audit_release`.

    Returns:
        As :func:`audit_release`.

    Raises:
        InputError: As :func:`audit_release`.
    """
    rows: list[Row] = []
    if texts is not None:
        level = FAMILY_ERROR / _N_GATES["texts"]
        note = _MODE_NOTES.get(mode, f"mode {mode}")
        rows.append(copy_row("copies_of_text_ngrams", copied_texts(texts), level, "texts", note))
    if pii_findings is not None:
        rows += _pii_rows(pii_findings)
    return pl.DataFrame(rows, schema=EVALUATION_COLUMNS["audits"], orient="row")


def _history_copies(people: People, level: float, note: str) -> list[Row]:
    attacks = {
        "exact_copies_of_histories": (copied_whole, "histories"),
        "copies_of_5_item_runs": (copied_runs, "histories"),
        "copies_of_k_of_n_items": (copied_mostly, "histories"),
        "copies_of_rare_5_item_baskets": (copied_baskets, "baskets"),
    }
    counted = [
        copy_row(name, attack(people), level, what, note)
        for name, (attack, what) in attacks.items()
    ]
    outliers = {
        "copies_of_outliers": isolated_histories,
        "copies_of_outlying_baskets": isolated_baskets,
    }
    alone = [
        outlier_row(name, people, choose(people), level, note) for name, choose in outliers.items()
    ]
    return [*counted, *alone]


def _attribute_risks(rows: Rows, whose: str, level: float) -> list[Row]:
    asked = rows.sampled
    return [
        excess_row(f"singling_out_of_{whose}", single_out(asked), level),
        excess_row(f"linkability_of_{whose}", link(asked), level),
        excess_row(f"inference_of_{whose}", infer(asked), level),
    ]


def _distance_row(people: People) -> Row:
    """Tell the share of synthetic histories whose nearest real one is a train history."""
    n_each = min(N_ASKED, people.train.n_users, people.heldout.n_users)
    share = float("nan")
    if n_each and people.made.n_users:
        train, heldout, made = (
            sets[draw(sets.shape[0], n, f"distance {number}")]
            for number, (sets, n) in enumerate(
                zip(people.sets, (n_each, n_each, N_ASKED), strict=True)
            )
        )
        seen, unseen = best_jaccard(made, train), best_jaccard(made, heldout)
        share = float(((seen > unseen) + 0.5 * (seen == unseen)).mean())
    return (
        "distance_to_closest_record_share",
        share,
        None,
        True,
        "shown only: the share of synthetic histories nearer to a train than to a held-out "
        "history; about 0.5 where both are alike. It misses verbatim rows and is no evidence "
        "of privacy",
    )


def _canary_row(
    canaries: Canaries, synthetic: pl.DataFrame, epsilon: float | None, delta: float
) -> Row:
    found = canary_epsilon(*score_canaries(canaries, synthetic), delta)
    bound = UNPROTECTED_BOUND if epsilon is None else epsilon
    blind = found.cannot_detect_above <= bound
    power = (
        f"{found.n_right} of {found.n_guesses} guesses about {found.n_canaries} canary users of "
        "one run were right; the value is a lower bound of ε at 95 % (arXiv 2305.08846); cannot "
        f"detect above {found.cannot_detect_above:.2f}"
    )
    if blind:
        power += ", so this gate cannot fail"
    passed = found.epsilon <= bound
    return "canary_epsilon", found.epsilon, None if blind else bound, passed, power


def _canary_text_row(canary_texts: pl.Series, texts: Sides) -> Row:
    n_found = extracted(canary_texts, texts.synthetic["text"])
    power = (
        f"{canary_texts.len()} canary texts were planted; one that is reworded, or returned in "
        "pieces of fewer than 13 words or 20 Hanzi, is not seen"
    )
    name = "canary_texts_extracted"
    return name, float(n_found), 0.0 if canary_texts.len() else None, n_found == 0, power


def _pii_rows(findings: pl.DataFrame) -> list[Row]:
    """Count findings of a scan of the output; the scanner belongs to the privacy room."""
    if missing := [name for name in _FINDING_COLUMNS if name not in findings.columns]:
        raise InputError(
            f"pii_findings: expected columns {', '.join(_FINDING_COLUMNS)}, missing "
            f"{', '.join(missing)}; give one row a table, column and kind"
        )
    leaked = pl.col("kind") == INPUT_IDENTIFIER
    rows: list[Row] = []
    for name, chosen, what in (
        ("pii_input_identifiers", leaked, "identifiers of the input"),
        ("pii_valid_identifiers", ~leaked, "valid identifiers outside the reserved ranges"),
    ):
        found = findings.filter(chosen, pl.col("rows") > 0)
        n_rows = int(found["rows"].sum())
        places = found.select(pl.format("{}.{}: {}", "table", "column", "kind")).to_series()
        where = f" in {', '.join(places.unique().sort())}" if n_rows else ""
        power = f"{n_rows} rows hold {what}{where}; forms that the scanner does not know are missed"
        rows.append((name, float(n_rows), 0.0, n_rows == 0, power))
    return rows
