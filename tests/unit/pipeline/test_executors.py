"""Executors: order kept, work not repeated, a dead worker survived, a poisoned task named."""

import os
import subprocess
import sys
import time

import psutil
import pytest

from fakes.listening import RecordingProgress
from shopsynth.pipeline.base import Task
from shopsynth.pipeline.executors import make_executor
from shopsynth.pipeline.local import InlineExecutor, LocalExecutor
from shopsynth.pipeline.recipe import PipelineSettings
from shopsynth.pipeline.store import LocalStore
from shopsynth.schema import InputError, ShopsynthError, UnknownNameError


@pytest.fixture
def store(tmp_path):
    return LocalStore(tmp_path / "w")


@pytest.fixture(params=["inline", "local"])
def executor(request):
    made = InlineExecutor() if request.param == "inline" else LocalExecutor(workers=2)
    yield made
    made.close()


def test_results_come_in_the_order_of_the_tasks(executor, store):
    tasks = [Task("s", "fakes.tasks:double", (), {"x": [n]}) for n in range(6)]
    progress = RecordingProgress()
    results = executor.map(tasks, store, progress)
    assert [result.facts["total"] for result in results] == [0, 2, 4, 6, 8, 10]
    assert progress.steps == 6


def test_a_done_task_is_not_run_again(executor, store, tmp_path):
    tasks = [
        Task("s", "fakes.tasks:count_calls", (), {"folder": str(tmp_path), "name": name})
        for name in "ab"
    ]
    first = executor.map(tasks, store, RecordingProgress())
    second = executor.map(tasks, store, RecordingProgress())
    assert [r.outputs for r in first] == [r.outputs for r in second]
    assert len([path for path in tmp_path.iterdir() if path.name[0] in "ab"]) == 2


def test_an_error_reaches_the_caller_and_finished_work_stays(executor, store):
    good = Task("s", "fakes.tasks:double", (), {"x": [1]})
    with pytest.raises(InputError, match="always refuses"):
        executor.map([good, Task("s", "fakes.tasks:refuse", ())], store, RecordingProgress())
    assert executor.map([good], store, RecordingProgress())[0].facts == {"total": 2}


def test_workers_are_other_processes_with_fixed_threads(store):
    executor = LocalExecutor(workers=2, threads=1)
    tasks = [
        Task("s", "fakes.tasks:report_process", (), {"n": n, "sleep_s": 0.3}) for n in range(4)
    ]
    facts = [result.facts for result in executor.map(tasks, store, RecordingProgress())]
    executor.close()
    assert os.getpid() not in {fact["pid"] for fact in facts}
    assert {fact["threads"] for fact in facts} == {"1"}


def test_a_killed_worker_costs_nothing_but_time(store, tmp_path):
    executor = LocalExecutor(workers=2)
    tasks = [Task("s", "fakes.tasks:die_once", (), {"flag": str(tmp_path / "flag")})]
    tasks += [Task("s", "fakes.tasks:double", (), {"x": [n]}) for n in range(3)]
    results = executor.map(tasks, store, RecordingProgress())
    executor.close()
    assert results[0].outputs[0].name == "survived"
    assert [result.facts["total"] for result in results[1:]] == [0, 2, 4]


def test_a_task_that_always_kills_its_worker_is_named(store):
    executor = LocalExecutor(workers=2)
    tasks = [Task("s", "fakes.tasks:double", (), {"x": [1]}), Task("s", "fakes.tasks:die", ())]
    with pytest.raises(ShopsynthError, match=r"worker process died three times.*fakes\.tasks:die"):
        executor.map(tasks, store, RecordingProgress())
    executor.close()


def test_workers_leave_when_the_driver_is_killed(tmp_path):
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from shopsynth.pipeline.base import Task\n"
        "from shopsynth.pipeline.local import LocalExecutor\n"
        "from shopsynth.pipeline.store import LocalStore\n"
        "from shopsynth.schema import SILENT\n"
        "if __name__ == '__main__':\n"
        f"    store = LocalStore(Path({str(tmp_path / 'w')!r}))\n"
        "    tasks = [Task('s', 'fakes.tasks:report_process', (), {'sleep_s': 60, 'n': n})\n"
        "             for n in range(2)]\n"
        "    LocalExecutor(workers=2).map(tasks, store, SILENT)\n"
    )
    script = tmp_path / "driver.py"
    script.write_text(program)
    env = {**os.environ, "PYTHONPATH": "tests"}
    driver = subprocess.Popen([sys.executable, str(script)], env=env)
    workers: list[psutil.Process] = []
    deadline = time.monotonic() + 30
    while len(workers) < 2 and time.monotonic() < deadline:
        time.sleep(0.2)
        children = psutil.Process(driver.pid).children(recursive=True)
        workers = [c for c in children if "spawn_main" in " ".join(c.cmdline())]
    assert len(workers) == 2
    driver.kill()
    driver.wait()
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert alive == []


def test_workers_that_drew_bars_leave_no_semaphore_behind(tmp_path):
    pytest.importorskip("tqdm")
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from shopsynth.pipeline.base import Task\n"
        "from shopsynth.pipeline.local import LocalExecutor\n"
        "from shopsynth.pipeline.store import LocalStore\n"
        "from shopsynth.schema import SILENT\n"
        "if __name__ == '__main__':\n"
        "    executor = LocalExecutor(workers=1)\n"
        "    task = Task('s', 'fakes.tasks:draw_a_bar', (), {})\n"
        "    done = executor.map([task], LocalStore(Path(sys.argv[1])), SILENT)\n"
        "    executor.close()\n"
        "    print(done[0].facts['total'])\n"
    )
    (tmp_path / "script.py").write_text(script, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(tmp_path / "script.py"), str(tmp_path / "w")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("3\n", "")


def test_an_unknown_executor_lists_the_known():
    with pytest.raises(UnknownNameError, match="did you mean 'local'"):
        make_executor(PipelineSettings(executor="locl"))
    assert isinstance(make_executor(PipelineSettings(executor="inline")), InlineExecutor)
