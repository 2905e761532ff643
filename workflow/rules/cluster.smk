# What jobs ask for where a profile sends them to SLURM (profiles/slurm), and the check before any is sent. A profile says
# what a site decides; the rest follows from each run (vitflow/results/requests.py). Elsewhere all of this is idle.

import functools
import signal

from snakemake.exceptions import IncompleteCheckpointException

from vitflow.machine.limits import THREADS
from vitflow.machine.slurm import SlurmProblem
from vitflow.results import cluster
from vitflow.results.lock import sittings
from vitflow.results.requests import Requests
from vitflow.results.restart import hold_locks, remove_dead_locks

LOCKS = Path(".snakemake/locks")
DEFAULTS = {name: one.raw for name, one in workflow.resource_settings._parsed_default_resources.items()}

try:
    SITE = cluster.Site.of(DEFAULTS) if "slurm_partition" in DEFAULTS else None
except SlurmProblem as error:
    raise WorkflowError(str(error))

if workflow.is_main_process:
    remove_dead_locks(LOCKS)
else:  # a job: SLURM's warning is for the command that saves its state, not for what waits around it
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)

# a training uses one; on a cluster the profile says so, on a machine with GPUs its places do
GPUS = SITE.gpus if SITE else int("gpu" in workflow.global_resources)
JOBS_PER_GPU = int(DEFAULTS.get("jobs_per_gpu", 1))
LONGEST = SITE.minutes if SITE else 720


@functools.cache
def requests(finalists=False):
    """What jobs ask for: planned first where nobody has, unless it is only asked what would be done."""
    known = [*JOBS, *FRESH.values()]
    sends = SITE and workflow.is_main_process and not workflow.dryrun
    most = cluster.megabytes(SITE) if sends else None
    found = Requests.read(STUDY, known, GPUS, LONGEST, most)
    if sends and not all(found.knows(job) for job in known):
        shell("vitflow plan --brief --requests --config {CONFIG}")
        found = Requests.read(STUDY, known, GPUS, LONGEST, most)
    return found


def ask(what):
    """A resource of a run's job: ``what`` of its requests, more with every attempt."""

    def asked(wildcards, attempt):
        try:
            job = job_of(wildcards)
        except IncompleteCheckpointException:  # a winner that is not selected yet; then it is asked again
            job = JOBS[0]
        return getattr(requests(bool(FRESH)), what)(job, attempt)

    return asked


def words(wildcards, attempt):
    """Of a run's job to SLURM: warn before the time is over; wait for a job that an earlier Snakemake has sent."""
    return _words(job_of(wildcards), attempt) if SITE else ""


@functools.cache  # one group is one job, and its rules have to say the same
def _words(job, attempt):
    last = sittings(job)[-1:] if job.busy else []
    after = [f"--dependency=afterany:{one['job']}" for one in last if one["job"]]
    return " ".join([f"--signal=USR1@{min(120, 30 * LONGEST)}", "--open-mode=append", *after, SITE.words]).strip()


def check_cluster():
    """Stop, with a line for each reason, where SLURM would refuse a job or keep it waiting for ever."""
    changed = workflow.resource_settings.overwrite_resources.values()
    try:
        sites = {SITE, *(cluster.Site.of(DEFAULTS | {name: one.raw for name, one in of.items()}) for of in changed)}
        largest = max((job for job in JOBS if not job.is_over), key=lambda job: requests().memory(job), default=JOBS[0])
        asked = cluster.Asked(largest.run, requests().memory(largest), THREADS)
        command = workflow.executor_settings.status_command
        told = [line for site in sites for line in cluster.problems(site, command, asked)]
    except SlurmProblem as error:
        told = [str(error)]
    for line in dict.fromkeys(told):
        print(f"vitflow: {line}", file=sys.stderr, flush=True)
    if told:
        raise SystemExit(2)
