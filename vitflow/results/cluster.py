"""What a site's profile asks of SLURM, and why that cannot be granted: asked before anything is sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from vitflow.machine import slurm
from vitflow.machine.slurm import Limit, Nodes, SlurmProblem
from vitflow.study.names import nearest

#: seconds between two looks at jobs, at most, and between sending and the first look: both Snakemake's
LOOKS, FIRST_LOOK = 180, 40
#: options that Snakemake gives to sbatch itself, and refuses among `slurm_extra`, job by job; and the lines for them
LINES = {
    "--partition": "slurm_partition",
    "--account": "slurm_account",
    "--time": "runtime",
    "--gpus": "gpu",
    "--gres": "gpu",
    "--qos": "qos",
    "--constraint": "constraint",
}


@dataclass(frozen=True)
class Site:
    """What a profile says of every job, under the names that Snakemake has for it."""

    partition: str
    minutes: int
    account: str = ""
    gpus: int = 0
    gpu_kind: str = ""
    qos: str = ""
    constraint: str = ""
    words: str = ""

    @classmethod
    def of(cls, resources: Mapping[str, Any]) -> Site:
        """From a profile's ``default-resources``. Raises SlurmProblem where one is missing or no number."""
        for key, example in (("slurm_partition", "gpu"), ("runtime", "240")):
            if key not in resources:
                raise SlurmProblem(f"the profile's default-resources lack {key}; for example `{key}: {example}`")
        numbers = {}
        for key in ("runtime", "gpu"):
            value = str(resources.get(key, 0))
            if not value.isdigit():
                raise SlurmProblem(f"the profile's {key}: '{value}' is no whole number; for example 1")
            numbers[key] = int(value)
        keys = ("slurm_account", "gpu_model", "qos", "constraint", "slurm_extra")
        account, kind, *rest = (str(resources.get(key) or "").strip("'") for key in keys)
        return cls(str(resources["slurm_partition"]), numbers["runtime"], account, numbers["gpu"], kind, *rest)


@dataclass(frozen=True)
class Asked:
    """The largest that any job of a study asks for, and which run does."""

    run: str
    megabytes: int
    threads: int = 1


def problems(site: Site, status_command: str, asked: Asked) -> list[str]:
    """Why SLURM cannot grant it, a line each with what is nearest; empty where it can. Raises SlurmProblem."""
    every = slurm.nodes()
    mine = [kind for kind in every if kind.partition == site.partition]
    if not mine:
        names = sorted({kind.partition for kind in every})
        return [f"slurm_partition: no partition '{site.partition}'{nearest(site.partition, names)}"]
    if not mine[0].up:
        others = sorted({kind.partition for kind in every if kind.up})
        return [f"slurm_partition: '{site.partition}' takes no jobs now; these do: {', '.join(others)}"]
    kept = slurm.settings()
    found = [*_words(site), *_time(site, mine[0]), *_gpus(site, mine, every), *_node(site, mine, every, asked)]
    found += [*_account(site, kept, asked), *_finished(status_command, kept), *_preempted(site)]
    return found or _refused(site, asked)


def _words(site: Site) -> Iterable[str]:
    for option in site.words.split():
        if key := LINES.get(option.partition("=")[0]):
            yield f"slurm_extra: {option} has a line of its own in a profile, `{key}: ...`"


def _time(site: Site, nodes: Nodes) -> Iterable[str]:
    if nodes.minutes is not None and site.minutes > nodes.minutes:
        yield f"runtime: {site.minutes} minutes, and partition '{site.partition}' grants {nodes.minutes} at most"


def _gpus(site: Site, mine: list[Nodes], every: list[Nodes]) -> Iterable[str]:
    if not site.gpus:
        return
    kinds: dict[str, int] = {}
    for nodes in mine:
        kinds |= {kind: max(count, kinds.get(kind, 0)) for kind, count in nodes.gpus.items()}
    if not kinds:
        others = sorted({nodes.partition for nodes in every if nodes.up and nodes.gpus})
        where = f", or slurm_partition: {others[0]}" if others else ""
        yield f"gpu: {site.gpus}, and nodes of partition '{site.partition}' have none; say gpu: 0{where}"
    elif site.gpu_kind and site.gpu_kind not in kinds:
        yield f"gpu_model: '{site.gpu_kind}' is in no node of '{site.partition}'{nearest(site.gpu_kind, sorted(kinds))}"
    elif site.gpus > (most := kinds.get(site.gpu_kind, max(kinds.values()))):
        yield f"gpu: {site.gpus} on one node, and those of partition '{site.partition}' have {most}; a training uses 1"


def _node(site: Site, mine: list[Nodes], every: list[Nodes], asked: Asked) -> Iterable[str]:
    most = max(nodes.megabytes for nodes in mine)
    if asked.megabytes > most:
        roomy = [n for n in every if n.up and n.megabytes >= asked.megabytes and (n.gpus or not site.gpus)]
        where = f"; those of '{roomy[0].partition}' have enough" if roomy else "; no node of this cluster has as many"
        yield f"{asked.run} needs {asked.megabytes} MB, and nodes of '{site.partition}' have {most}{where}"
    if asked.threads > (cpus := max(nodes.cpus for nodes in mine)):
        yield f"{asked.run} asks for {asked.threads} threads, and nodes of '{site.partition}' have {cpus} CPUs"


def accounting(kept: Mapping[str, str]) -> bool:
    """Whether a cluster of these settings keeps a record of jobs that have ended."""
    return not kept["AccountingStorageType"].endswith(("none", "(null)"))


def remembers(kept: Mapping[str, str]) -> bool:
    """Whether its controller knows jobs that have ended for so long that nobody misses their end."""
    return int(kept["MinJobAge"].split()[0]) > LOOKS


def status_command(kept: Mapping[str, str]) -> str | None:
    """What tells Snakemake there that a job has ended; None where nothing does."""
    return "squeue" if remembers(kept) else "sacct" if accounting(kept) else None


def limits(site: Site, kept: Mapping[str, str]) -> list[Limit]:
    """Those that a cluster of these settings keeps a job to."""
    enforced = {"limits", "safe"} & set(kept["AccountingStorageEnforce"].split(","))
    return slurm.limits(site.account, site.qos, site.partition) if accounting(kept) and enforced else []


def megabytes(site: Site) -> int | None:
    """The most that a job can ask for; None where there is no such partition. Raises SlurmProblem."""
    nodes = [nodes.megabytes for nodes in slurm.nodes() if nodes.partition == site.partition]
    paid = [limit.megabytes for limit in limits(site, slurm.settings()) if limit.megabytes is not None]
    return min([max(nodes), *paid]) if nodes else None


def _account(site: Site, kept: Mapping[str, str], asked: Asked) -> Iterable[str]:
    if site.account and accounting(kept):
        valid = slurm.accounts()
        if site.account.lower() not in valid:
            yield f"slurm_account: '{site.account}' is none of yours{nearest(site.account, valid)}"
            return
    for limit in limits(site, kept):
        if limit.minutes is not None and site.minutes > limit.minutes:
            yield f"runtime: {site.minutes} minutes, and {limit.whose} grants {limit.minutes} at most"
        if limit.gpus is not None and site.gpus > limit.gpus:
            yield f"gpu: {site.gpus}, and {limit.whose} grants a job {limit.gpus} at most"
        if limit.megabytes is not None and asked.megabytes > limit.megabytes:
            yield f"{asked.run} needs {asked.megabytes} MB, and {limit.whose} grants a job {limit.megabytes} at most"


def _finished(configured: str, kept: Mapping[str, str]) -> Iterable[str]:
    if configured == "sacct" and not accounting(kept):
        yield (
            "slurm-status-command: sacct, and this cluster keeps no accounting: Snakemake would wait for ever for jobs "
            "that have ended; say squeue"
        )
    if configured == "squeue" and not remembers(kept):
        instead = (
            "say sacct"
            if accounting(kept)
            else "have MinJobAge raised to 300, or use `vitflow train --pending` in a job"
        )
        yield (
            f"slurm-status-command: squeue, and this cluster forgets ended jobs after {kept['MinJobAge']}: Snakemake "
            f"would miss them; {instead}"
        )


def _preempted(site: Site) -> Iterable[str]:
    if not slurm.requeues(site.partition):
        yield (
            f"slurm_partition: '{site.partition}' cancels jobs that it preempts, and Snakemake waits for them for "
            "ever; take one that requeues them"
        )


def _refused(site: Site, asked: Asked) -> list[str]:
    """What sbatch itself says to a job like the largest of the study, of which none is sent."""
    gpus = [f"--gpus={site.gpu_kind}{':' if site.gpu_kind else ''}{site.gpus}"] if site.gpus else []
    said = {"account": site.account, "qos": site.qos, "constraint": site.constraint}
    request = [f"--partition={site.partition}", f"--time={site.minutes}", f"--mem={asked.megabytes}", "--nodes=1"]
    words = [*request, f"--cpus-per-task={asked.threads}", *gpus]
    words += [*(f"--{option}={value}" for option, value in said.items() if value), *site.words.split()]
    try:
        slurm.ask("sbatch", "--test-only", *words, "--wrap=true")
    except SlurmProblem as refusal:
        return [f"{refusal} (to sbatch {' '.join(words)})"]
    return []
