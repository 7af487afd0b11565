"""1,000 product → query calls to a paid endpoint, whose asker is killed again and again.

In: nothing (titles are made up), or with --embedded the small model that a package ships. Out:
benchmarks/results/llm_resume.json. The endpoint is a process of its own (tests/fakes/fake_llm.py)
and counts what it bills; the asker is killed by SIGKILL at moments drawn by chance, and started
again. What is counted, and told apart:

- repeated: answers that were on the disk when their asker died, and were billed again. Wanted: 0.
- on the wire: calls that the endpoint had billed and nobody had read when the asker died. No client
  can know of them; an endpoint that honours Idempotency-Key bills them once, which the second part
  shows.

    python benchmarks/llm_resume.py
    python benchmarks/llm_resume.py --embedded --calls 40 --kills 5
"""

import argparse
import json
import os
import random
import resource
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from _record import record

HERE = Path(__file__).resolve()
FAKE = HERE.parent.parent / "tests" / "fakes" / "fake_llm.py"
ADJECTIVES = ("red", "vintage", "small", "wooden", "paper", "hanging", "set of 6", "retro")
NOUNS = ("mug", "lantern", "cake stand", "lunch bag", "photo frame", "candle", "clock", "tray")


# ---- the asker, a process of its own -------------------------------------------------------------


def ask(folder: Path, base_url: str, calls: int) -> None:
    """Ask for queries of every product; print how many have some."""
    from contextlib import nullcontext

    from pydantic import BaseModel, Field

    from shopsynth.generate.llm import (
        EndpointSettings,
        Question,
        Request,
        Template,
        ask_all,
        embedded_endpoint,
    )

    class Queries(BaseModel):
        queries: list[str] = Field(min_length=1, max_length=3)

    question = Question(
        Template("queries", "Write short search queries that lead to the product.", {"title": 200}),
        Queries,
        max_tokens=60,
    )
    titles = [f"{ADJECTIVES[i % 8]} {NOUNS[i // 8 % 8]} no. {i}".upper() for i in range(calls)]
    requests = [Request(f"item-{i}", {"title": title}) for i, title in enumerate(titles)]
    fake = EndpointSettings(
        base_url=base_url or "http://127.0.0.1/v1",
        model="fake-writer",
        input_price=1.0,
        output_price=3.0,
        concurrency=4,
    )
    with nullcontext(fake) if base_url else embedded_endpoint() as endpoint:
        found = ask_all(requests, question, endpoint, folder)
    told = {"answered": sum(r.answer is not None for r in found.results)}
    told |= {"order": [r.name for r in found.results] == [r.name for r in requests]}
    told |= {"rejected": Counter(found.rejects["reason"].to_list())}
    print(json.dumps({**told, "spend": vars(found.spend)}))


# ---- the killer ----------------------------------------------------------------------------------


def billed(base_url: str) -> Counter[str]:
    """Ask the endpoint what it billed, by request."""
    with urllib.request.urlopen(base_url) as response:  # noqa: S310 - our own loopback
        return Counter(json.load(response)["billed"])


def kept(folder: Path) -> set[str]:
    """Read which requests have an answer on the disk."""
    file = folder / "answers.sqlite"
    if not file.exists():
        return set()
    with closing(sqlite3.connect(file)) as sql:
        try:
            return {row[0] for row in sql.execute("select key from answers")}
        except sqlite3.OperationalError:  # Killed before it had made its tables.
            return set()


def killed_often(
    folder: Path, base_url: str, calls: int, kills: int, paid: Callable[[], Counter[str]]
) -> dict[str, Any]:
    """Start the asker, kill it after a time drawn by chance, again and again; let the last end."""
    command = [sys.executable, str(HERE), "--ask", str(folder), base_url, str(calls)]
    chance = random.Random(20_261_122)
    n_kills, repeated, on_wire = 0, 0, 0
    at_death: list[int] = []
    while n_kills < kills:
        before, at_start = kept(folder), paid()
        asker = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        # Each life is to do its share of the work, give or take, wherever in a call that ends.
        share = chance.uniform(0, 2 * (calls - len(before)) / (kills - n_kills + 1))
        while asker.poll() is None and len(kept(folder)) < len(before) + share:
            time.sleep(0.005)
        time.sleep(chance.uniform(0, 0.03))
        if asker.poll() is not None:
            break
        os.kill(asker.pid, signal.SIGKILL)
        asker.wait()
        time.sleep(0.2)  # The endpoint finishes, and bills, what was on the wire.
        n_kills += 1
        now = paid()
        repeated += sum((now - at_start)[key] for key in before)
        lost = set(now) - kept(folder)
        on_wire += sum((now - at_start)[key] for key in lost)
        at_death.append(len(kept(folder)))
    before, at_start = kept(folder), paid()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    told = json.loads(done.stdout)
    now = paid()
    return {
        **told,
        "kills": n_kills,
        "kept_at_each_kill": at_death,
        "repeated": repeated + sum((now - at_start)[key] for key in before),
        "billed": sum(now.values()),
        "on_the_wire_at_a_kill": on_wire,
    }


def against_fake(calls: int, kills: int, latency_s: float, *, idempotent: bool) -> dict[str, Any]:
    """Run against the paid endpoint, in a process of its own."""
    command = [sys.executable, str(FAKE), "--latency", str(latency_s)]
    server = subprocess.Popen(
        command + ["--idempotent"] * idempotent, stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        base_url = f"http://127.0.0.1:{int(server.stdout.readline())}/v1"
        with TemporaryDirectory() as folder:
            return killed_often(Path(folder), base_url, calls, kills, lambda: billed(base_url))
    finally:
        server.terminate()
        server.wait()


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--calls", type=int, default=1000)
    asked.add_argument("--kills", type=int, default=25)
    asked.add_argument("--latency", type=float, default=0.02, help="seconds a call, on average")
    asked.add_argument("--embedded", action="store_true")
    asked.add_argument("--ask", nargs=3, metavar=("FOLDER", "URL", "CALLS"), help="the asker")
    options = asked.parse_args()
    if options.ask:
        folder, base_url, calls = options.ask
        ask(Path(folder), base_url, int(calls))
        return
    if options.embedded:
        embedded(options.calls, options.kills)
        return
    plain = against_fake(options.calls, options.kills, options.latency, idempotent=False)
    once = against_fake(options.calls, options.kills, options.latency, idempotent=True)
    for run in (plain, once):
        # Every bill beyond the first is one that was on the wire at a kill, or our fault.
        run["unexplained"] = run["billed"] - options.calls - run["on_the_wire_at_a_kill"]
    whole = all(run["answered"] == options.calls and run["order"] for run in (plain, once))
    faults = plain["repeated"] + once["repeated"] + max(0, plain["unexplained"])
    faults += once["billed"] - options.calls
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    record(
        "llm_resume",
        passed=whole and faults == 0 and min(plain["kills"], once["kills"]) >= 20,
        reach="1,000 product → query calls survive kill -9 at any point with 0 repeated paid calls",
        value=float(faults),
        low=float(faults),
        high=float(faults),
        unit="answered calls paid again; a count, no interval",
        data=f"{options.calls:,} made-up titles; a fake paid endpoint in a process of its own, "
        f"{1000 * options.latency:g} ms a call, 4 at once",
        seeds=plain["kills"] + once["kills"],
        cpu_s=usage.ru_utime + usage.ru_stime,
        note=f"an endpoint without idempotency: {plain['kills']} kills, {plain['answered']:,} "
        f"answers in order, {plain['repeated']} kept answers paid again; apart from these "
        f"{plain['on_the_wire_at_a_kill']} calls were on the wire when their asker died: billed, "
        "read by nobody and asked anew, which no client can avoid. An endpoint that honours "
        f"Idempotency-Key: {once['kills']} kills, {once['billed']:,} bills for {options.calls:,} "
        "calls",
        plain=plain,
        idempotent=once,
    )


def embedded(calls: int, kills: int) -> None:
    """Run the same with the small model in the asker's own process, which dies with it."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        found = killed_often(folder, "", calls, kills, lambda: Counter(kept(folder)))
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    settled = found["answered"] + sum(found["rejected"].values())
    repeated = found["spend"]["paid_calls"] - found["billed"]
    record(
        "llm_resume_embedded",
        passed=settled == calls and repeated == 0 and found["kills"] >= kills,
        reach="every call settled after kill -9, no kept answer computed again",
        value=float(repeated),
        low=float(repeated),
        high=float(repeated),
        unit="kept answers computed again; a count, no interval",
        data=f"{calls:,} made-up titles; SmolLM2-135M-Instruct Q4_1 by llama.cpp on loopback",
        seeds=found["kills"],
        cpu_s=usage.ru_utime + usage.ru_stime,
        note=f"{found['kills']} kills, {found['answered']} answers of the form, rejected: "
        f"{found['rejected'] or 'none'}",
        run=found,
    )


if __name__ == "__main__":
    main()
