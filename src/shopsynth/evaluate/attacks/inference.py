"""Attribute inference: does the release tell what somebody keeps secret?

In: rows of attributes. Out: how often the nearest released row by all other columns has the
secret, for people who were read and for people who were not.

An attacker may keep silent where unsure. So each secret is guessed twice: of everybody, and only
of those whose other columns all agree with a released row; the second finds leaks of few people
that the first would average away.

Source: Article 29 Working Party, Opinion 05/2014 (WP216); Giomi et al., PoPETs 2023, section 4.3.
"""

import numpy as np

from shopsynth.evaluate.attacks.risk import Successes
from shopsynth.evaluate.attacks.rows import Asked, agreement


def infer(rows: Asked) -> dict[str, tuple[Successes, Successes]]:
    """Guess each column in turn, of everybody and of the sure cases alone."""
    n_columns = rows.targets.shape[1]
    if n_columns < 2 or not len(rows.released):
        return {}
    found = [_guesses(rows, release) for release in (rows.released, rows.standin)]
    return {form: (found[0][form], found[1][form]) for form in found[0]}


def _guesses(rows: Asked, release: np.ndarray) -> dict[str, Successes]:
    n_columns = rows.targets.shape[1]
    sides = (rows.targets, rows.controls)
    agreed = [agreement(side, release, range(n_columns)) for side in sides]
    forms = {}
    for secret in range(n_columns):
        hits, sure = [], []
        for side, every in zip(sides, agreed, strict=True):
            known = every - (side[:, secret, None] == release[None, :, secret])
            nearest = known.argmax(axis=1)
            hits.append(release[nearest, secret] == side[:, secret])
            sure.append(known[np.arange(len(side)), nearest] == n_columns - 1)
        for form, mask in (("everybody", None), ("sure cases", sure)):
            counted = (
                hits
                if mask is None
                else [hit[chosen] for hit, chosen in zip(hits, mask, strict=True)]
            )
            forms[f"{rows.names[secret]}, {form}"] = Successes(
                int(counted[0].sum()), int(counted[1].sum()), counted[0].size, counted[1].size
            )
    return forms
