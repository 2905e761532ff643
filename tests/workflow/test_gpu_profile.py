"""profiles/gpu on a machine without a GPU: it says so, and trains nothing with settings not meant for a CPU."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from support.checkouts import STUDY, call, copy_code

from vitflow.results.layout import Layout


@pytest.mark.skipif(torch.cuda.is_available(), reason="a machine without a GPU")
def test_the_gpu_profile_stops_where_there_is_no_gpu(tmp_path: Path) -> None:
    where = copy_code(tmp_path)
    target = Layout("tiny").seed("baseline", 0).train
    words = ["--cores", "2", "--profile", "profiles/gpu", "--configfile", STUDY, "--", target]
    told = call(where, "snakemake", *words, expect=1)
    assert told.count("vitflow: 1 GPU asked for, and 0 here; on a CPU, leave --gpus out") == 1
    assert "Traceback" not in told and not (where / target).exists()
