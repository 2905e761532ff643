"""Memory that ends, the processor's or the GPU's, is one line that says what to change."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from support.baseline import TRAIN
from support.checkouts import environment
from support.results import ROOT, TINY

from vitflow import cli
from vitflow.training import loop

GREEDY = """
import resource, sys
from vitflow import cli
import torch, torch._dynamo, vitflow.data.sources
torch.set_num_threads(1)
size = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (size + 300_000_000, resource.RLIM_INFINITY))
sys.exit(cli.main(sys.argv[1:]))
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc to limit memory")
def test_out_of_memory_is_one_line_with_the_batch_size_and_what_to_change(here: Path) -> None:
    large = (
        TINY.read_text()
        .replace("width: 16, depth: 2", "width: 2048, depth: 2")
        .replace("batch_size: 50", "batch_size: 150")
    )
    (here / "config.yaml").write_text(large)
    words = [sys.executable, "-c", GREEDY, *TRAIN]
    done = subprocess.run(words, env=environment(ROOT), capture_output=True, text=True, timeout=120)
    assert done.returncode == 2, done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("vitflow: baseline seed 0: out of memory on cpu with batch_size 150; run fewer jobs side by")
    assert "lower training.batch_size" in last and "Traceback" not in done.stderr


def test_the_memory_of_a_gpu_ends_with_the_same_line(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*arguments: Any, **options: Any) -> loop.Outcome:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    monkeypatch.setattr(loop, "train", full)
    assert cli.main(TRAIN) == 2
    assert "baseline seed 0: out of memory on cpu with batch_size 50" in capsys.readouterr().err.splitlines()[-1]
