"""The rows of ``summary.json``: one frozen, described class a list of the contract.

In: JSON-ready values. Out: the same with types; anything unknown or of another type is refused.
Fields with a default were added to version 1 later: a summary without them is still valid.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

Verdict = Literal["helps", "helps this model", "no effect shown", "harms"]
Role = Literal["primary", "secondary", "exploratory"]


class SummaryPart(BaseModel):
    """What every row has: frozen, no unknown field, no value that JSON cannot hold."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False
    )


class SummaryMetric(SummaryPart):
    """The mean of one metric on real test units."""

    task: str
    """Downstream task, for example next_item."""
    model: str
    """Model; system is the arm's best model by validation."""
    arm: str
    """What it was trained on: real, combined, synthetic or a control."""
    metric: str
    """Metric name, for example ndcg."""
    cutoff: int | None
    """List length; null where the metric has none."""
    slice: str
    """Slice of the answers, fixed before training; all is everything."""
    value: float | None
    """Mean over seeds and units, unrounded; null where it cannot be measured."""
    low: float | None
    """Lower end of the 95 % interval."""
    high: float | None
    """Upper end of the 95 % interval."""
    units: int
    """Test users or queries behind the value."""
    seeds: int
    """Repetitions behind the value."""


class SummaryUplift(SummaryPart):
    """A paired difference between two arms."""

    task: str
    """Downstream task."""
    model: str
    """Model; system is the best system with against the best system without."""
    metric: str
    """Metric name."""
    cutoff: int | None
    """List length; null where the metric has none."""
    slice: str
    """Slice of the answers."""
    arm: str
    """The arm that is judged, usually combined."""
    against: str
    """The arm it is compared with: real or a control."""
    absolute: float | None
    """Difference arm minus against, in units of the metric."""
    relative: float | None
    """The same as a share of the value of against."""
    low: float | None
    """Lower end of the 95 % interval of absolute."""
    high: float | None
    """Upper end of the 95 % interval of absolute."""
    p_holm: float | None
    """Two-sided p-value: of combined against real after Holm's correction over the comparisons of
    the same role, else uncorrected."""
    mde: float | None
    """Minimum detectable effect, in units of the metric."""
    verdict: Verdict
    """What the difference shows."""
    role: Role | None = None
    """Whether it was registered, as primary or secondary, or is exploratory; null where no plan
    was registered."""
    seeds: int | None = None
    """Paired runs behind the difference, each of one generator and one trainer seed."""
    seeds_agree: int | None = None
    """How many of these runs have the sign of the difference."""


class SummaryHypothesis(SummaryPart):
    """A registered claim and what became of it; shares are of the other arm's value."""

    name: str
    """What the plan calls it."""
    role: Role
    """primary carries the headline, secondary is told beside it."""
    kind: Literal["superiority", "non_inferiority"]
    """Whether more was claimed, or only no loss beyond the margin."""
    task: str
    """Downstream task."""
    model: str
    """Model; system is the best system with against the best system without."""
    metric: str
    """Metric name."""
    cutoff: int | None
    """List length; null where the metric has none."""
    slice: str
    """Slice of the answers."""
    goal: float | None
    """Relative uplift aimed at; the measured one must reach it."""
    margin: float | None
    """Relative loss that non-inferiority allows."""
    relative: float | None
    """Measured uplift of combined over real."""
    low: float | None
    """Lower end of the 95 % interval of relative."""
    high: float | None
    """Upper end of the 95 % interval of relative."""
    p_holm: float | None
    """p-value after Holm's correction over the hypotheses of the same role."""
    mde: float | None
    """Minimum detectable effect."""
    unbeaten: str
    """Controls that combined does not beat, separated by commas; a control that did not run is
    one of them."""
    side_information: Literal[
        "",
        "beyond side information",
        "not worse than side information",
        "not shown to match side information",
    ]
    """How combined compares with using the side information directly; empty where not compared."""
    confirmed_by: str
    """Other models that moved the same way, separated by commas."""
    oracle_share: float | None
    """Uplift as a share of what as many extra real rows give; null where that was not measured."""
    passed: bool
    """Whether every condition of the claim holds."""
    verdict: Verdict
    """What the claim's difference shows."""


class SummaryRegistration(SummaryPart):
    """Whether the plan was fixed before the test part was opened."""

    plan_sha256: str
    """Hash of the registered plan; empty where the test part was opened without one."""
    registered_at: str
    """When it was registered, ISO 8601; empty likewise."""
    looks: int
    """How often the test part has been opened so far."""
    look: int
    """Which of these looks this result is, from 1."""
    exploratory: bool
    """Whether this result cannot confirm anything."""
    reason: str
    """Why it is exploratory; empty where it is not."""


class SummaryCost(SummaryPart):
    """What one model on one arm cost: its fits, and what chose its options and dose."""

    task: str
    """Downstream task."""
    arm: str
    """What was trained on."""
    model: str
    """Model."""
    fits: int
    """Fits that were asked for."""
    failed: int
    """Fits that failed or were left out."""
    trials: int
    """Fits on validation that chose options or dose; 0 where both were given."""
    steps: int
    """Optimiser steps of a fit, on average over those that worked."""
    rows: int
    """Training rows of a fit, likewise."""
    cpu_s: float | None
    """CPU seconds of all fits and trials."""
    wall_s: float | None
    """Wall-clock seconds of all fits and trials."""
    peak_rss_mb: float | None
    """Peak resident memory of any fit or trial, in MB."""
    reason: str
    """Why fits failed or were left out; empty where none did."""


class SummaryFidelity(SummaryPart):
    """How near synthetic rows are to real ones."""

    table: str
    """Table measured."""
    metric: str
    """Distance or coverage."""
    value: float | None
    """What the synthetic rows reach."""
    ceiling: float | None
    """What held-out real rows of the same size reach."""


class SummaryAudit(SummaryPart):
    """One attack on the released rows."""

    name: str
    """Name of the audit."""
    value: float | None
    """What was measured."""
    threshold: float | None
    """The bound of the gate; null where the audit is only shown."""
    passed: bool
    """Whether the gate holds."""
    power: str
    """What the audit could not have detected."""


class SummaryCharge(SummaryPart):
    """One paid mechanism: what it asked the people in the data, and what that cost."""

    actor: str
    """Who paid: the synthesizer."""
    mechanism: str
    """What it is and what it asks."""
    kind: Literal["gaussian", "poisson_gaussian", "laplace", "pure"]
    """Noise; poisson_gaussian is DP-SGD's, on independently drawn users."""
    noise_multiplier: float
    """Noise in units of the sensitivity to one user."""
    count: int
    """Runs with fresh noise."""
    sampling_rate: float
    """Chance of a user to take part in a step."""
    slack: float
    """Failure probability on top, of a threshold or of discretisation."""
    epsilon: float | None
    """What it would cost alone, at an equal part of the release's delta; null without a bound."""
    detail: dict[str, Any] = {}
    """Public parameters."""


class SummaryPrivacy(SummaryPart):
    """Under which protection the rows were made."""

    mode: Literal["public", "deidentify", "dp", "unsafe_nonprivate"]
    """Privacy mode; only dp gives differential privacy."""
    unit: str
    """Whose whole contribution is protected."""
    epsilon: float | None
    """Privacy loss spent; null where nothing bounds it."""
    delta: float | None
    """Failure probability; null likewise."""
    audits: tuple[SummaryAudit, ...]
    """Every audit that ran."""
    release: str = ""
    """Name of the synthetic rows: the beginning of their hash."""
    mu: float | None = None
    """The same loss as mu of Gaussian differential privacy; null likewise."""
    naive_epsilon: float | None = None
    """What basic composition of the same mechanisms would give; null likewise."""
    mechanisms: tuple[SummaryCharge, ...] = ()
    """What the release paid for; empty where nothing was."""
    budget: str | None = None
    """What the source may spend in its whole life: strict, standard, relaxed or weak."""
    source_id: str | None = None
    """Name of the source in the ledger."""
    source_epsilon: float | None = None
    """What all releases of the source have cost together so far; null likewise."""
    other_plans: int | None = None
    """Plans on the source's record that this release did not pay for; null likewise."""
    users_bound: int | None = None
    """Public bound on the number of users."""
    max_events_per_user: int | None = None
    """Most events of a user that anything could learn from."""
    guarantee: str = ""
    """What is promised, in one paragraph of English."""
    guarantee_zh: str = ""
    """The same in Chinese."""


class SummaryStage(SummaryPart):
    """What one stage cost."""

    name: str
    """The stage's word."""
    wall_s: float
    """Wall-clock seconds."""
    cpu_s: float
    """CPU seconds of all its processes."""
    peak_rss_mb: float
    """Peak resident memory in MB."""
    cached: bool
    """Whether this run took the stage from the workspace instead of doing it."""
