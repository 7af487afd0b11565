"""The receipt of a release: what its mechanisms cost together, and each alone.

In: the charges that one release paid. Out: JSON-ready figures, all of them upper bounds.
"""

import math
from collections.abc import Sequence
from typing import Any

from shopsynth.privacy.accounting import compose
from shopsynth.privacy.charges import Charge


def release_receipt(paid: Sequence[tuple[str, Charge]], delta: float) -> dict[str, Any]:
    """Add up what one release cost.

    Args:
        paid: Who paid and the charge, in the order of payment.
        delta: Failure probability of the release, at which everything is told.

    Returns:
        ``epsilon``, ``delta`` and ``mu`` of all mechanisms together; ``naive_epsilon``, what basic
        composition would have given at the same delta; ``mechanisms``, the charges with ``actor``
        and ``epsilon`` alone. A figure without a bound is ``None``.

    Example:
        >>> paid = [("markov", Charge(f"step {i}", "gaussian", 4.0)) for i in range(4)]
        >>> found = release_receipt(paid, delta=1e-6)
        >>> found["mu"], found["epsilon"] < found["naive_epsilon"]
        (0.5, True)
    """
    joint = compose([charge for _, charge in paid])
    # Basic composition adds deltas too, so each part is told at its share of the whole.
    alone = [compose([charge]).epsilon(delta / len(paid)) for _, charge in paid]
    return {
        "epsilon": _bounded(joint.epsilon(delta)),
        "delta": delta,
        "mu": _bounded(joint.mu(delta)),
        "naive_epsilon": _bounded(sum(alone)),
        "mechanisms": [
            {"actor": actor, **charge.to_json(), "epsilon": _bounded(epsilon)}
            for (actor, charge), epsilon in zip(paid, alone, strict=True)
        ],
    }


def _bounded(value: float) -> float | None:
    return value if math.isfinite(value) else None
