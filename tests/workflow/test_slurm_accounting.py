"""A cluster that keeps accounts: who pays, and for how much, is asked before a job is sent; sacct tells its end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support import accounting, slurm
from support.accounting import manage
from support.checkouts import call, edit
from support.slurm import Cluster, checkout, end, send, wait_until

from vitflow.results.cluster import Asked, Site, megabytes, problems
from vitflow.results.layout import Layout

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(accounting.missing()), reason=str(accounting.missing()))]
ASKED = Asked("baseline", 1600)
PAID = {"slurm_partition": "gpu", "runtime": 60, "gpu": 1, "slurm_account": "physics"}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with slurm.raised(accounting.MORE, accounting.kept) as raised:
        yield raised


def told(**resources: object) -> list[str]:
    return problems(Site.of(PAID | resources), "sacct", ASKED)


def test_slurm_accounts_are_named_where_a_profile_names_none_of_mine(cluster: Cluster) -> None:
    assert told() == []
    assert told(slurm_account="phisics") == ["slurm_account: 'phisics' is none of yours; did you mean 'physics'?"]
    (line,) = told(qos="nosuch")
    assert line.startswith("SLURM refuses: allocation failure: Invalid qos specification")


def test_slurm_says_what_an_account_and_a_quality_of_service_do_not_grant(cluster: Cluster) -> None:
    wait_until(lambda: "gres" in (manage("show", "tres") or ""), "a controller that has told what it counts")
    manage("add", "qos", "short", "MaxWall=00:30:00")
    manage("modify", "account", "physics", "set", "MaxWall=00:50:00", "MaxTRESPerJob=gres/gpu=1,mem=1G")
    manage("modify", "user", "root", "where", "account=physics", "set", "qos=normal,short", "DefaultQOS=normal")
    try:
        assert told(gpu=2) == [
            "runtime: 60 minutes, and account 'physics' grants 50 at most",
            "gpu: 2, and account 'physics' grants a job 1 at most",
            "baseline needs 1600 MB, and account 'physics' grants a job 1024 at most",
        ]
        assert told(qos="short")[-1] == "runtime: 60 minutes, and quality of service 'short' grants 30 at most"
        assert megabytes(Site.of(PAID)) == 1024, "no attempt asks for more"
    finally:
        manage("modify", "account", "physics", "set", "MaxWall=-1", "MaxTRESPerJob=gres/gpu=-1,mem=-1")


def test_slurm_with_accounts_trains_as_its_printed_profile_says_and_sacct_tells_the_end(
    cluster: Cluster, tmp_path: Path
) -> None:
    where = checkout(tmp_path / "here", epochs=2)
    manage("modify", "account", "physics", "set", "MaxWall=00:50:00")
    profile = where / "profiles/slurm/config.v8+.yaml"
    printed = call(where, "vitflow", "cluster").split("\n", 1)[1]
    assert "  slurm_account: physics\n" in printed and "  runtime: 50\n" in printed
    profile.write_text(printed)
    edit(profile, "gpu: 1", "gpu: 0")
    edit(profile, "slurm-status-command: squeue\n", "slurm-status-command: sacct\n")
    end(where, send(where, "evaluate"))
    assert (where / Layout("small").seed("baseline", 0).metrics).exists()
    ended = cluster.ask("sacct", "-X", "--noheader", "--parsable2", "--format=account,state").split()
    assert ended == ["physics|COMPLETED"]
