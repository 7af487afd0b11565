"""Task functions that workers can import: they must live in a module, not in a test."""

import os
import time
from pathlib import Path

import polars as pl

from shopsynth.pipeline.job import Job
from shopsynth.schema import InputError


def double(job: Job) -> dict:
    """Write twice the numbers of the input, or of the parameter."""
    numbers = job.frame("numbers") if job.refs("numbers") else pl.DataFrame({"x": job.params["x"]})
    job.write("doubled", numbers.with_columns(pl.col("x") * 2))
    return {"total": int(numbers["x"].sum() * 2)}


def count_calls(job: Job) -> None:
    """Leave one file a call, so that a test sees how often the function ran."""
    folder = Path(job.params["folder"])
    (folder / f"{job.params['name']}-{time.monotonic_ns()}").touch()
    job.write_json("called", {"name": job.params["name"]})


def refuse(job: Job) -> None:
    """Fail as a stage does on bad input."""
    raise InputError("tests: this task always refuses")


def die_once(job: Job) -> None:
    """Kill the worker on the first call and succeed on the second."""
    flag = Path(job.params["flag"])
    if not flag.exists():
        flag.touch()
        os.kill(os.getpid(), 9)
    job.write_json("survived", {})


def die(job: Job) -> None:
    """Kill the worker every time."""
    os.kill(os.getpid(), 9)


def report_process(job: Job) -> dict:
    """Tell which process ran it and with how many threads."""
    time.sleep(job.params.get("sleep_s", 0))
    return {"pid": os.getpid(), "threads": os.environ.get("OMP_NUM_THREADS")}


def save_two_files(job: Job) -> None:
    """Write a folder with two files, as a model does."""

    def fill(folder: Path) -> None:
        (folder / "a.json").write_text("{}")
        (folder / "b.bin").write_bytes(b"\x00" * 10)

    job.write_folder("model", fill)


def draw_a_bar(job: Job) -> dict:
    """Count under a bar that nobody sees, as libraries of models do."""
    from tqdm import tqdm  # type: ignore[import-untyped]

    return {"total": sum(tqdm(range(3), disable=True))}
