"""Membership inference: can somebody tell from the release whose history was read?

In: people of all three sides. Out: the area under the ROC curve of three attacks, and how many
members the surest guesses of a fourth find at one false alarm in a thousand.

- *distance*: who was read lies nearer to the release (Jaccard similarity of item sets);
- *local*: nearer than to other real people, so that crowds do not count (as DOMIAS does);
- *density ratio*: a logistic classifier learns to tell the release from real rows (as LOGAN);
- *bits*, for the surest guesses: what the release holds of a history beyond what other real people
  hold, in bits, so that the conspicuous come first.

Sources: Chen et al., GAN-Leaks, CCS 2020; van Breugel et al., DOMIAS, AISTATS 2023; Hayes et al.,
LOGAN, PoPETs 2019; Carlini et al., Membership inference from first principles, S&P 2022 (why the
true positive rate at a low false positive rate).
"""

from dataclasses import dataclass, replace

import numpy as np

from shopsynth.evaluate.attacks.chance import Row, draw
from shopsynth.evaluate.attacks.nearest import best_jaccard, most_shared
from shopsynth.evaluate.attacks.people import N_ASKED, People
from shopsynth.evaluate.attacks.ratio import density_ratio
from shopsynth.evaluate.attacks.roc import auc, paired_auc, top_count, top_rate_low
from shopsynth.schema import derived_seed

AUC_BOUND = 0.53
"""PRIVACY §6."""

FALSE_ALARMS = 0.001
TPR_BOUND = 0.003
"""At one false alarm in a thousand at most three members in a thousand (PRIVACY §6)."""

_N_RELEASED = 20_000
"""Histories of the release, and of each half of the real ones beside it, in the attacks."""

_AREAS = ("distance", "local", "density_ratio")
_SUREST = "bits"


@dataclass(frozen=True)
class Scores:
    """What one attack thinks of everybody asked: higher is "was read".

    Attributes:
        train: Of members, from the release.
        heldout: Of non-members, from the release.
        train_elsewhere: Of members, from a stand-in of other train people.
        heldout_elsewhere: Of non-members, likewise.
    """

    train: np.ndarray
    heldout: np.ndarray
    train_elsewhere: np.ndarray
    heldout_elsewhere: np.ndarray


def membership_rows(people: People, level: float, mu: float | None = None) -> list[Row]:
    """Attack, and hold every attack against the same attack on a stand-in.

    Args:
        people: All three sides.
        level: Share of the family error that each of the four gates may use.
        mu: The Gaussian-DP bound that the release claims; no attack on a release that keeps it
            has a larger area than Φ(μ / √2).
    """
    bound = AUC_BOUND if mu is None else min(AUC_BOUND, largest_auc(mu))
    scores = membership_scores(people)
    rows = [_auc_row(name, scores[name], bound, level) for name in _AREAS]
    return [*rows, _top_row(scores[_SUREST], level)]


def largest_auc(mu: float) -> float:
    """Return the area under the ROC curve of the best attack on a μ-GDP release.

    Source:
        Dong, Roth & Su, Gaussian differential privacy, JRSS-B 2022, equation 6.

    Example:
        >>> round(largest_auc(0.237), 3)
        0.567
    """
    from scipy.stats import norm

    return float(norm.cdf(mu / np.sqrt(2)))


def membership_scores(people: People) -> dict[str, Scores]:
    """Run every attack on at most 2,000 people a side.

    The train people that are not asked make up a reference, which the attacker knows, and a
    stand-in for the release.
    """
    order = np.random.Generator(np.random.PCG64(derived_seed(0, "audit", "membership")))
    shuffled = order.permutation(people.train.n_users)
    n_asked = min(N_ASKED, people.train.n_users // 2)
    asked, rest = shuffled[:n_asked], shuffled[n_asked:]
    half = min(_N_RELEASED, rest.size // 2)
    reference, standin = rest[:half], rest[half : 2 * half]
    train, heldout, made = people.sets
    sides = train[asked], heldout[draw(people.heldout.n_users, N_ASKED, "non-members")]
    known = train[reference]
    release = made[draw(people.made.n_users, _N_RELEASED, "attacked release")]
    everywhere = (release, train[standin])
    near = [[best_jaccard(side, rows) for side in sides] for rows in everywhere]
    crowd = [best_jaccard(side, known) for side in sides]
    local = [[to - by for to, by in zip(place, crowd, strict=True)] for place in near]
    ratio = [density_ratio(rows, known, sides) for rows in everywhere]
    told = [(side * people.bits).tocsr() for side in sides]
    by_crowd = [most_shared(side, known) for side in told]
    bits = [
        [most_shared(side, rows) - by for side, by in zip(told, by_crowd, strict=True)]
        for rows in everywhere
    ]
    return {
        name: Scores(*found[0], *found[1])
        for name, found in zip((*_AREAS, _SUREST), (near, local, ratio, bits), strict=True)
    }


def _auc_row(attack: str, scores: Scores, bound: float, level: float) -> Row:
    name = f"membership_{attack}_auc"
    if min(scores.train.size, scores.heldout.size) < 2:
        return name, float("nan"), None, True, "with so few people no attack can be judged"
    found = _Area.measure(scores, level)
    ones, zeros = np.ones(scores.train.size), np.zeros(scores.heldout.size)
    perfect = _Area.measure(replace(scores, train=ones, heldout=zeros), level)
    reach = max(found.surely, perfect.surely)
    power = (
        f"area {found.area:.3f}, 95 % interval {found.area - 1.96 * found.error:.3f} to "
        f"{min(1.0, found.area + 1.96 * found.error):.3f}, of {scores.train.size} members and "
        f"{scores.heldout.size} others; the same attack on other real people's rows reaches "
        f"{found.elsewhere:.3f}, which is the season and not the release; the value is the lower "
        "bound beyond chance and season, "
    )
    if reach <= bound:
        power += (
            f"and even a perfect attack on these people would show {reach:.3f}, which is within "
            f"the bound of {bound:.3f}, so this gate cannot fail"
        )
        return name, found.surely, None, True, power
    power += f"and an area below {bound + found.margin:.3f} could not be told from the bound"
    return name, found.surely, bound, found.surely <= bound, power


@dataclass(frozen=True)
class _Area:
    """What one attack reaches.

    Attributes:
        area: Under its ROC curve.
        error: Standard error of the area.
        elsewhere: Area of the same attack on the stand-in.
        margin: What the larger of the errors, of the area and of the difference, allows for.
        surely: Lower bound of the area beyond chance and season.
    """

    area: float
    error: float
    elsewhere: float
    margin: float
    surely: float

    @classmethod
    def measure(cls, scores: Scores, level: float) -> "_Area":
        """Compare an attack with the same attack on the stand-in."""
        from scipy.stats import norm

        area = auc(scores.train, scores.heldout)
        elsewhere, error, error_more = paired_auc(
            (scores.train, scores.heldout), (scores.train_elsewhere, scores.heldout_elsewhere)
        )
        z = float(norm.isf(level))
        more = area - max(0.5, elsewhere) + 0.5 - z * error_more
        surely = min(max(0.0, area - z * error), more)
        return cls(area, error, elsewhere, z * max(error, error_more), surely)


def _top_row(scores: Scores, level: float) -> Row:
    name = "membership_tpr_at_0.1_percent_fpr"
    n_members, n_others = scores.train.size, scores.heldout.size
    if n_others * FALSE_ALARMS < 1 or not n_members:
        return (
            name, float("nan"), None, True,
            f"one false alarm in a thousand needs 1,000 held-out people, there are {n_others}",
        )  # fmt: skip
    allowed = int(n_others * FALSE_ALARMS)
    hits = top_count(scores.train, scores.heldout, allowed)
    low = FALSE_ALARMS * top_rate_low(hits, n_members, allowed, n_others, level)
    by_season = top_count(scores.train_elsewhere, scores.heldout_elsewhere, allowed) / n_members
    bound = max(TPR_BOUND, by_season)
    seen = next(
        (n for n in range(n_members + 1)
         if FALSE_ALARMS * top_rate_low(n, n_members, allowed, n_others, level) > bound),
        None,
    )  # fmt: skip
    power = (
        f"{hits} of {n_members} members ({hits / n_members:.2%}) score above all but {allowed} of "
        f"{n_others} others; the value is the lower bound; "
        + (f"fewer than {seen} could not be told from {bound:.1%}" if seen else "no number could")
    )
    return name, low, (bound if seen else None), not seen or low <= bound, power
