"""The recipe's ``[privacy]`` block."""

from typing import Any, Literal

from pydantic import Field, model_validator

from shopsynth.schema import Settings

Budget = Literal["strict", "standard", "relaxed", "weak"]

Mode = Literal["public", "deidentify", "dp", "unsafe_nonprivate"]


class PrivacySettings(Settings):
    """How the people in the data are protected before anything learns from them."""

    mode: Mode = "dp"
    """public: no personal input; deidentify: PII removed, no guarantee; dp: differential privacy;
    unsafe_nonprivate: raw rows, named in every export."""

    unit: Literal["user"] = "user"
    """Whose whole contribution is protected."""

    epsilon: float | None = Field(default=None, gt=0)
    """What one run may spend in mode dp."""

    delta: float | None = Field(default=None, gt=0, lt=1)
    """Failure probability of mode dp; without it the smaller of 1e-6 and 1 / (10 users)."""

    users: int | None = Field(default=None, ge=1)
    """A public bound on how many users the source has; mode dp needs it, because counting them
    would cost."""

    budget: Budget = "standard"
    """What all runs on the source may spend together, for its whole life, in mode dp: strict 1,
    standard 3, relaxed 8; weak has no bound and is named so in every report."""

    source: str | None = None
    """Name of the source in the ledger; it stays the same when rows are added. Without one, the
    names and places of the shop's tables."""

    ledger: str | None = None
    """Folder of the ledger of mode dp; without one, shopsynth/ledger in the user's own state
    folder. It outlives every workspace."""

    max_events_per_user: int = Field(default=256, ge=1)
    """A user's most recent events beyond this number never reach a synthesizer."""

    key_env: str = "SHOPSYNTH_PSEUDONYM_KEY"
    """Environment variable with the pseudonym key; without it a key file in the user's own
    configuration folder is used, and made once. The key is never written to a workspace."""

    @model_validator(mode="before")
    @classmethod
    def _refuse_seeds(cls, values: Any) -> Any:
        seeds = [key for key in values if "seed" in key] if isinstance(values, dict) else []
        if seeds:
            raise ValueError(
                f"{', '.join(seeds)}: noise and draws of users take no seed, because whoever knows "
                "it can subtract them; leave it out (the recipe's seed steers what comes after)"
            )
        return values
