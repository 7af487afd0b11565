"""How often two equal arms are called different, for every design of seeds and kind of noise.

In: nothing; arms are simulated with no difference in truth. Out:
benchmarks/results/false_positives.json; the value is the worst rate, the interval its 95 % Wilson
interval.

    .venv/bin/python benchmarks/false_positives.py

Each experiment has 50 units. An arm with synthetic rows has noise of its generator seeds, of its
trainer seeds, of their interaction and of single units; the arm of real rows has all but the
first, and is trained once a trainer seed, as in a run. The kinds of noise are made as strong as
they can be against the sampling of units, which is where few seeds are least able to tell.
"""

import time
from dataclasses import dataclass

import numpy as np
from _record import record

from shopsynth.evaluate.bootstrap import estimate, resample_means

EXPERIMENTS = 3_000
UNITS = 50
RESAMPLES = 200
GOAL = 0.07

DESIGNS = {
    "3 paired": [(run, run) for run in range(3)],
    "5 paired": [(run, run) for run in range(5)],
    "3 x 5 crossed": [(made, fit) for made in range(3) for fit in range(5)],
}


@dataclass(frozen=True)
class Noise:
    """Standard deviations of what differs between equal arms; of units by run, 1."""

    units: float = 0.0
    generator: float = 0.0
    trainer: float = 0.0
    both: float = 0.0


NOISES = {
    "units": Noise(units=1.0),
    "generator": Noise(generator=1.0),
    "trainer": Noise(trainer=1.0),
    "generator and trainer": Noise(generator=1.0, trainer=1.0),
    "every run": Noise(both=1.0),
    "a little of all": Noise(units=1.0, generator=0.1, trainer=0.1, both=0.1),
}


def one_p_value(
    runs: list[tuple[int, int]], noise: Noise, random: np.random.Generator
) -> tuple[bool, float]:
    """Simulate one pair of equal arms; say whether the interval excludes 0, and the p-value."""
    made, fit = np.array(runs).T
    values = random.standard_normal((UNITS, len(runs)))
    values += noise.units * random.standard_normal((UNITS, 1))
    values += noise.generator * random.standard_normal(len(runs))[made]
    values += noise.trainer * random.standard_normal(len(runs))[fit]
    values += noise.both * random.standard_normal(len(runs))
    real = random.standard_normal((UNITS, len(runs))) + noise.trainer * random.standard_normal(
        len(runs)
    )
    difference = values - real[:, fit]
    resampled = resample_means(
        difference.mean(axis=1, keepdims=True),
        resamples=RESAMPLES,
        seed=int(random.integers(1 << 31)),
    )
    found = estimate(difference.mean(axis=0), resampled[:, 0], UNITS, runs)
    return found.low > 0 or found.high < 0, found.p_value


def wilson(rate: float, number: int) -> tuple[float, float]:
    """Return the 95 % interval of a share."""
    z = 1.96
    middle = (rate + z**2 / (2 * number)) / (1 + z**2 / number)
    half = z * np.sqrt(rate * (1 - rate) / number + z**2 / (4 * number**2)) / (1 + z**2 / number)
    return float(middle - half), float(middle + half)


def main() -> None:
    """Simulate every cell and write the result."""
    start = time.process_time()
    cells = []
    for design, runs in DESIGNS.items():
        for kind, noise in NOISES.items():
            random = np.random.Generator(np.random.PCG64([len(runs), list(NOISES).index(kind)]))
            found = [one_p_value(runs, noise, random) for _ in range(EXPERIMENTS)]
            excluded, p_values = (np.array(column) for column in zip(*found, strict=True))
            cells.append(
                {
                    "seeds": design,
                    "noise": kind,
                    "interval_excludes_0": round(float(excluded.mean()), 4),
                    "p_below_5_percent": round(float((p_values < 0.05).mean()), 4),
                    "p_below_1_percent": round(float((p_values < 0.01).mean()), 4),
                }
            )
    worst = max(cell["interval_excludes_0"] for cell in cells)
    low, high = wilson(worst, EXPERIMENTS)
    record(
        "false_positives",
        passed=low <= GOAL,
        reach=f"at most about {GOAL:.0%} of equal arms called different, whatever varies",
        value=worst,
        low=low,
        high=high,
        unit="share of experiments in the worst cell; 95 % Wilson interval",
        data=f"simulated, {EXPERIMENTS} experiments a cell, {UNITS} units",
        seeds=EXPERIMENTS,
        cpu_s=time.process_time() - start,
        note="Few seeds that carry all the noise are the worst case. Verdicts also need Holm's p, "
        "every control beaten and a second architecture, so they are wrong far less often.",
        cells=cells,
    )


if __name__ == "__main__":
    main()
