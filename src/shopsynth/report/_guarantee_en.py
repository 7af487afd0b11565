"""The sentence of the guarantee in English, and what it does not cover.

In: the ``privacy`` block of ``summary.json``. Out: plain sentences.
"""

from shopsynth.report.numerals import rounded_up
from shopsynth.report.summary_parts import SummaryPrivacy

UNPROTECTED_EN = (
    "Facts true of many people, such as which items go together.",
    "Shops, brands and items: the catalogue is declared public.",
    "People with several accounts: the loss grows with their number.",
    "Households and others who share an account or buy alike.",
    "Third persons who are named in somebody's text.",
    "Releases outside this ledger, by whoever holds the same data.",
    "What a pre-trained model had learned before.",
    "How long a run took.",
    "Anything from whoever can read the raw data, the key or the internal report.",
)

WITHOUT_EN = {
    "public": "The input was declared to hold no personal data; nothing was protected, and nothing "
    "is promised to anybody.",
    "deidentify": "Identifying details were removed: no differential privacy, still personal data; "
    "so are the synthetic rows made from them.",
    "dp": "No guarantee can be stated: the receipt names no paid mechanism with a bounded sum. "
    "Treat every synthetic row as personal data.",
    "unsafe_nonprivate": "Nothing was protected: generators learned from raw rows. Treat every "
    "synthetic row as personal data and do not share it.",
}

NOISE_EN = {
    "gaussian": "discrete Gaussian",
    "poisson_gaussian": "Gaussian, once a step",
    "laplace": "discrete Laplace",
    "pure": "randomised choice",
}


def english_guarantee(privacy: SummaryPrivacy, strength: str) -> str:
    """Write the sentence; an empty ``strength`` means that nothing is guaranteed."""
    if not strength:
        return WITHOUT_EN[privacy.mode]
    weak = "Weak (ε above 8, or a source without a bound): " if strength == "weak" else ""
    source = f" of source {privacy.source_id}" if privacy.source_id else ""
    bound = privacy.max_events_per_user
    parts = [
        f"{weak}Release {privacy.release}{source} is (ε = {rounded_up(privacy.epsilon)}, "
        f"δ = {rounded_up(privacy.delta)})-differentially private (μ = {rounded_up(privacy.mu)}) "
        f"for adding or removing all contributions of one {privacy.unit} "
        f"(key {privacy.unit}_id{f', at most {bound} events' if bound else ''}).",
        f"{_counted(privacy)}, composed by their privacy-loss distributions, an upper bound.",
        *_drawn(privacy),
        f"Noise: {'; '.join(_kinds(privacy))}; from the operating system's entropy, no seed.",
        "Domains, bins, bounds and the number of users are declared public or bought.",
        *_life(privacy),
    ]
    return " ".join(parts)


def _life(privacy: SummaryPrivacy) -> list[str]:
    """Say what the source has paid in all, and whether this release may be one of several."""
    told = []
    if privacy.source_epsilon is not None and privacy.budget is not None:
        told.append(
            f"All releases of the source so far cost ε = {rounded_up(privacy.source_epsilon)} "
            f"together; its budget for life is {privacy.budget}."
        )
    if privacy.other_plans:
        told.append(
            f"The source has paid for {privacy.other_plans} other plans: if this release was "
            "chosen among several by results on real rows, that choice is not covered."
        )
    else:
        told.append("Tuning on these people's rows: none that was paid for or is on record.")
    return told


def _counted(privacy: SummaryPrivacy) -> str:
    n = len(privacy.mechanisms)
    return "1 mechanism" if n == 1 else f"{n} mechanisms"


def _drawn(privacy: SummaryPrivacy) -> list[str]:
    rates = sorted({c.sampling_rate for c in privacy.mechanisms if c.kind == "poisson_gaussian"})
    if not rates:
        return []
    told = ", ".join(f"{rate:.3g}" for rate in rates)
    return [
        f"Users are drawn independently (Poisson) at the public rate {told}; each user's gradient "
        "is clipped, the divisor is public."
    ]


def _kinds(privacy: SummaryPrivacy) -> list[str]:
    return [name for kind, name in NOISE_EN.items() if any(
        charge.kind == kind for charge in privacy.mechanisms
    )]  # fmt: skip
