"""docs/cluster.md on a real cluster: its commands lead to a deck; what cannot be granted is told and never sent."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from support import slurm
from support.checkouts import ROOT, call, shell
from support.slurm import OFTEN, Cluster, checkout, end, kill_senders, send, wait_until

from vitflow.machine.files import read_json
from vitflow.machine.slurm import SlurmProblem, minutes
from vitflow.results.cluster import Asked, Site, problems
from vitflow.results.layout import Layout
from vitflow.results.ledger import all_jobs
from vitflow.results.requests import keep_needs
from vitflow.study.reading import read_study

needs_slurm = pytest.mark.skipif(bool(slurm.missing()), reason=str(slurm.missing()))
MORE = "ablations: {architecture: {width: [8, 16]}}\nfeatures: {images: 50}"
PAGE = (ROOT / "docs/cluster.md").read_text()
ASKED = Asked("baseline", 1600)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with slurm.raised() as raised:
        yield raised


def commands(first: str) -> str:
    """Of the page, those that begin with that one."""
    (found,) = re.findall(rf"```\n({first}.*?)```", PAGE, re.DOTALL)
    return found


@needs_slurm
@pytest.mark.slow
def test_slurm_the_commands_of_the_page_lead_to_a_deck_with_the_bits_of_local_trainings(
    cluster: Cluster, tmp_path: Path
) -> None:
    where = checkout(tmp_path / "here", epochs=2, more=MORE)
    often = " ".join(f"--{key} {value}" for key, value in (OFTEN | {"latency-wait": 5, "local-cores": 1}).items())
    told = shell(where, commands("mkdir").replace("snakemake --profile", f"snakemake {often} --profile"))
    assert "partition 'cpu' grants every job of small: at most 120 minutes" in told
    assert "small: 2 done, of 2" in told
    assert {file.suffix for file in (where / "results/small/slides").iterdir()} >= {".html", ".pdf", ".pptx"}
    sent = {comment.split("_")[1] for (comment,) in cluster.jobs("%k")}
    assert sent == {"small-baseline-seed0", "small-width=8-seed0", "measure", "extract"}, "all else ran here"

    local = checkout(tmp_path / "local", epochs=2, more=MORE)
    call(local, "vitflow", "prepare")
    call(local, "vitflow", "train", "--pending")
    for run in ("baseline", "width=8"):
        paths = Layout("small").seed(run, 0)
        for name in (paths.checkpoint, paths.history, paths.config):
            assert (where / name).read_bytes() == (local / name).read_bytes(), name
        ours, theirs = np.load(where / paths.predictions), np.load(local / paths.predictions)
        assert all(np.array_equal(ours[key], theirs[key]) for key in theirs)
        assert read_json(where / paths.train)["provenance"]["threads"] == 1


@needs_slurm
@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("rsync"), reason="needs rsync")
def test_slurm_nodes_that_share_nothing_get_what_they_need_and_give_it_back(cluster: Cluster, tmp_path: Path) -> None:
    where, node = checkout(tmp_path / "here", epochs=2), tmp_path / "node"
    node.mkdir()
    lines = commands("vitflow prepare").replace("ssh node", "bash -c").replace("cd vitflow", f"cd {node}/vitflow")
    told = shell(where, lines.replace("node:", f"{node}/").replace("--cores 2", "--cores 2 --dry-run"))
    assert "rule draw" in told and "rule train_run" not in told and "rule evaluate_run" not in told
    record = Layout("small").seed("baseline", 0).train
    assert (where / record).read_bytes() == (node / "vitflow" / record).read_bytes(), (
        "trained there, and not again here"
    )


@needs_slurm
@pytest.mark.parametrize(
    ("resources", "told"),
    [
        ({"slurm_partition": "gpuu"}, "slurm_partition: no partition 'gpuu'; did you mean 'gpu'?"),
        (
            {"slurm_partition": "closed"},
            "slurm_partition: 'closed' takes no jobs now; these do: cancelled, cpu, gpu, urgent",
        ),
        ({"slurm_partition": "cancelled"}, "slurm_partition: 'cancelled' cancels jobs that it preempts, and"),
        ({"runtime": 270}, "runtime: 270 minutes, and partition 'gpu' grants 120 at most"),
        ({"gpu": 3}, "gpu: 3 on one node, and those of partition 'gpu' have 2; a training uses 1"),
        ({"gpu_model": "h100"}, "gpu_model: 'h100' is in no node of 'gpu'; did you mean 'a100'?"),
        ({"constraint": "ib"}, "SLURM refuses: allocation failure: Invalid feature specification"),
        ({"slurm_extra": "'--nice=1 --qos=long'"}, "slurm_extra: --qos=long has a line of its own in a profile, `qos:"),
    ],
)
def test_slurm_says_in_one_line_what_it_cannot_grant(cluster: Cluster, resources: dict[str, object], told: str) -> None:
    asked = {"slurm_partition": "gpu", "runtime": 120, "gpu": 1}
    assert problems(Site.of(asked), "squeue", ASKED) == []
    (line,) = problems(Site.of(asked | resources), "squeue", ASKED)
    assert line.startswith(told) and "\n" not in line


@needs_slurm
def test_slurm_says_that_a_node_is_too_small_or_that_nobody_would_see_the_end(cluster: Cluster) -> None:
    site = Site.of({"slurm_partition": "cpu", "runtime": 60})
    assert problems(site, "squeue", Asked("patch_size=2", 9000)) == [
        "patch_size=2 needs 9000 MB, and nodes of 'cpu' have 8000; no node of this cluster has as many"
    ]
    assert problems(site, "squeue", Asked("baseline", 1600, threads=9)) == [
        "baseline asks for 9 threads, and nodes of 'cpu' have 8 CPUs"
    ]
    (line,) = problems(site, "sacct", ASKED)
    assert line.startswith("slurm-status-command: sacct, and this cluster keeps no accounting") and "say squeue" in line


@needs_slurm
def test_slurm_gets_no_job_of_a_profile_that_it_would_refuse(cluster: Cluster, tmp_path: Path) -> None:
    before = cluster.jobs()
    where = checkout(tmp_path / "here", epochs=2, runtime="270", gpu="3")
    told = end(where, send(where), expect=2)
    assert [line for line in told.splitlines() if line.startswith("vitflow: ")] == [
        "vitflow: runtime: 270 minutes, and partition 'cpu' grants 120 at most",
        "vitflow: gpu: 3 on one node, and those of partition 'cpu' have 2; a training uses 1",
    ]
    assert cluster.jobs() == before


@needs_slurm
def test_slurm_is_asked_for_what_the_cheapest_and_the_dearest_run_need(cluster: Cluster, tmp_path: Path) -> None:
    where = checkout(tmp_path / "here", epochs=1, slurm_partition="gpu", gpu="1", runtime="120")
    shutil.copy(ROOT / "config.yaml", where / "config.yaml")
    shutil.copytree(ROOT / "data", where / "data", ignore=shutil.ignore_patterns("*.safetensors", "*.lock"))
    with (where / "profiles/slurm/config.v8+.yaml").open("a") as profile:
        profile.write(
            "set-resources:\n  train_run: {slurm_extra: \"'--hold'\"}\n  evaluate_run: {slurm_extra: \"'--hold'\"}\n"
        )
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(where)
        study = read_study("config.yaml")
        jobs = all_jobs(study)
        dear = {"patch_size=2": (40.0, 5 * 2**30)}
        keep_needs(study, {job.run: dear.get(job.run, (0.5, 2**20)) for job in jobs}, jobs)
    targets = [Layout(study.study).seed(run, 0).metrics for run in ("patch_size=8", "patch_size=2")]
    send(where, *targets)
    try:
        wait_until(lambda: len(cluster.jobs("%i", "--states=PENDING")) == 2, "two jobs in the queue")
        shown = {
            re.search(r"Comment=rule_cifar10-(\S+)-seed0", text)[1]: text  # type: ignore[index]
            for (number,) in cluster.jobs("%i", "--states=PENDING")
            for text in [cluster.ask("scontrol", "show", "job", number)]
        }
    finally:
        kill_senders()
        cluster.empty()
    # ten minutes and half more than half an hour; with a tenth of that, and ten minutes, for scoring
    assert "TimeLimit=01:09:00" in shown["patch_size=8"], shown["patch_size=8"]
    assert "TimeLimit=02:00:00" in shown["patch_size=2"], "no more than the profile says"
    for text in shown.values():
        for asked in ("Partition=gpu", "CPUs/Task=1", "mem=6000M", "TresPerJob=gres:gpu:1", "NumNodes=1"):
            assert asked in text, (asked, text)


def test_slurm_spells_times_in_three_ways() -> None:
    assert [minutes(text) for text in ("2-12:00:00", "2:30:00", "30:00", "infinite", "UNLIMITED")] == [
        3600,
        150,
        30,
        None,
        None,
    ]


def test_without_slurm_one_line_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        SlurmProblem, match=r"^no SLURM here: `sinfo` is not found; call this where jobs are sent from$"
    ):
        problems(Site.of({"slurm_partition": "cpu", "runtime": 60}), "squeue", ASKED)
    for missing in ("slurm_partition", "runtime"):
        with pytest.raises(SlurmProblem, match=f"lack {missing}; for example"):
            Site.of({key: "1" for key in ("slurm_partition", "runtime") if key != missing})
