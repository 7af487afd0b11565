"""The recipe's ``[privacy]`` block."""

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from shopsynth.schema import PrivacyError, Settings

Budget = Literal["strict", "standard", "relaxed", "weak"]

Mode = Literal["public", "deidentify", "dp", "unsafe_nonprivate"]


class AnonymitySettings(Settings):
    """How alike users are made in their attributes, in mode deidentify: never a guarantee."""

    k: int = Field(default=0, ge=0)
    """Fewest users who share any combination of quasi-identifiers, and any value; 0 is off."""

    l: int = Field(default=0, ge=0)  # noqa: E741 - the name of the literature
    """Fewest distinct values of a sensitive column in every class of users alike; 0 is off."""

    t: float = Field(default=0.0, ge=0, lt=1)
    """Largest distance of a sensitive column in such a class to the whole table, 0 to 1; 0 is
    off."""

    quasi_identifiers: tuple[str, ...] = ()
    """Attributes of users by which somebody could be recognised; empty: all but the sensitive."""

    sensitive: tuple[str, ...] = ()
    """Attributes of users that must not be learned about one of them; l and t need some."""

    @property
    def on(self) -> bool:
        """Whether any rule asks for something."""
        return self.k > 1 or self.l > 1 or self.t > 0

    @model_validator(mode="after")
    def _check_roles(self) -> Self:
        both = [name for name in self.sensitive if name in self.quasi_identifiers]
        if both:
            raise ValueError(f"{', '.join(both)}: either a quasi-identifier or sensitive, not both")
        if (self.l > 1 or self.t > 0) and not self.sensitive:
            raise ValueError("l and t protect sensitive columns, got none; name them in sensitive")
        return self


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
    """Name of the shop in the ledger; mode dp needs it. The budget for life is kept under it, so it
    stays the same when files move and rows are added."""

    ledger: str | None = None
    """Folder of the ledger of mode dp; without one, shopsynth/ledger in the user's own state
    folder. It outlives every workspace."""

    max_events_per_user: int = Field(default=256, ge=1)
    """A user's most recent events beyond this number never reach a synthesizer."""

    anonymity: AnonymitySettings = Field(default_factory=AnonymitySettings)

    bound: Literal["declared", "bought"] = "declared"
    """Where the bound on a user's events comes from. declared: it is max_events_per_user; bought,
    in mode dp: a twentieth of the budget asks how many events 95 % of the users stay within, and
    max_events_per_user is the most that is considered."""

    canaries: int = Field(default=0, ge=0)
    """Users who do not exist, half of them put among those that a synthesizer learns from, so that
    an audit can count how many it gives away. 1,000 show an epsilon of 5.19 at most; they are
    noise to a small shop, so there are none unless asked for."""

    replacement: Literal["tag", "pseudonym", "fake"] = "tag"
    """What stands in free text where personal data were, in mode deidentify: a typed tag, a keyed
    pseudonym that is the same for the same value, or a fake from ranges that nobody is given."""

    names: Literal["off", "rules", "models"] = "rules"
    """How names of people are looked for in free text: not, by rules, or by rules and then models,
    which need the extra pii."""

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

    @model_validator(mode="after")
    def _refuse_unpaid_rules(self) -> Self:
        if not self.anonymity.on or self.mode == "deidentify":
            return self
        if self.mode == "dp":
            raise PrivacyError(
                "[privacy.anonymity]: mode dp takes no k, l or t: who is rare is a fact about "
                "other users and has to be bought, and the guarantee does not need it; leave the "
                "block out, or choose mode deidentify"
            )
        raise ValueError(
            f"anonymity: mode {self.mode} leaves the rows as they are; leave the block out, or "
            "choose mode deidentify"
        )
