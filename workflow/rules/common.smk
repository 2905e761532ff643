# The study behind the rules: everything is checked here, before any job, and without importing torch.

import os
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

from vitflow.commands.options import DEFAULT, spelled
from vitflow.data import places
from vitflow.data.manifest import check_prepared
from vitflow.data.raw import DataError
from vitflow.machine.files import FileProblem, read_json, write_text
from vitflow.results import ledger, stages, times
from vitflow.results import report as appendix
from vitflow.results.layout import Layout
from vitflow.results.place import check_links, check_name
from vitflow.study.grid import BEST, expand
from vitflow.study.names import ConfigError
from vitflow.study.reading import parse_study, read_yaml

try:
    for path in workflow.configfiles:
        read_yaml(path)  # Snakemake's own reader keeps the last of two equal keys and says nothing
    STUDY = parse_study(config, ", ".join(map(str, workflow.configfiles)) or "--config")
    for path in workflow.configfiles:
        check_name(Path(path), STUDY.study)
    check_links(STUDY.study)
    HOME = Layout(STUDY.study)
    GRID = expand(STUDY)
    JOBS = ledger.jobs(STUDY, GRID)
    STAGES = stages.stages(STUDY)
    check_prepared(GRID.datasets)
    if workflow.is_main_process:
        # what the jobs read, so that an override (`--config a=b`) reaches them; in the order of the study
        write_text(HOME.effective_config, STUDY.model_dump_json(indent=1))
        for job in ledger.all_jobs(STUDY):
            times.settle_job(STUDY, job)
        times.settle_stages(STAGES.values())
        appendix.write_captions(HOME)
except (ConfigError, DataError, FileProblem, ledger.LedgerError) as error:
    raise WorkflowError(spelled(str(error), os.path.relpath(next(iter(workflow.configfiles), DEFAULT))))

CONFIG = str(HOME.effective_config)
BY_NAME = {(job.run, str(job.seed)): job for job in JOBS}
FRESH = {}  # likewise the finalists, once they are selected

MANIFEST = str(places.manifest(STUDY.dataset.key))
SCORES = [str(job.paths.metrics) for job in JOBS]


def made_by(stage):
    """Outputs of a stage; none if the study has no such stage."""
    return [str(path) for path in STAGES[stage].outputs] if stage in STAGES else []


def read_by(stage):
    """Inputs of a stage, from the place that also judges whether they have changed (vitflow/results/stages.py)."""
    return [str(path) for path in STAGES[stage].inputs]


# the environment that Snakemake itself runs in, activated or not; `logged FILE COMMAND` appends to a log that several jobs
# may have had, where Snakemake empties those that it knows of, and shows the end of it where the command fails
shell.prefix(
    f"set -euo pipefail; export PATH='{Path(sys.executable).parent}':$PATH; "
    'logged() {{ local log="$1" code=0; shift; mkdir -p "$(dirname "$log")"; "$@" >> "$log" 2>&1 || code=$?; '
    '[ $code = 0 ] || tail -n 20 "$log" >&2; return $code; }}; '
)

ONE_RUN = HOME.seed("{run}", "{seed}")


wildcard_constraints:
    run=r"[^/]+",
    seed=r"\d+",


def job_of(wildcards):
    """The job of a run and seed; of a finalist, once they are selected."""
    run, seed = wildcards.run, str(wildcards.get("seed", 0))
    if (run, seed) in BY_NAME:
        return BY_NAME[run, seed]
    if STUDY.best:
        checkpoints.select.get()
        if not FRESH:  # who they are is read from the scores of the whole grid
            for job in ledger.fresh_jobs(STUDY):
                FRESH[job.run, str(job.seed)] = job
                if workflow.is_main_process:
                    times.settle_job(STUDY, job)
        if (run, seed) in FRESH:
            return FRESH[run, seed]
        if run == BEST and "seed" not in wildcards.keys():  # whose features are taken, whatever it is called
            return ledger.feature_jobs(STUDY)[BEST]
    raise WorkflowError(f"study '{STUDY.study}' has no run '{run}' with seed {seed}")


def wanted_of(wildcards):
    """The configuration a run is to have; newer than its results if they are of another one."""
    job = job_of(wildcards)
    return str(HOME.wanted(job.run, job.seed))


def weights_of(wildcards, output):
    """Weights a step reads: missing ones stop the plan, for Snakemake would delete results to train again."""
    job = job_of(wildcards)
    if problem := ledger.weights_needed(STUDY, job, output):
        # an exception from an input function is shown with its traceback; a mistake of the user's is one line
        print(f"vitflow: {problem}", file=sys.stderr, flush=True)
        raise SystemExit(2)
    return ancient(str(job.paths.checkpoint))


# nobody should start months of CPU time unawares, or send jobs that wait for ever
onstart:
    hold_locks(LOCKS)
    if SITE:
        check_cluster()
    elif not all(job.is_over for job in JOBS):
        shell("vitflow plan --brief --config {CONFIG}")


# in a log nobody would see it: letters for which no font is here
onsuccess:
    NAMES = "".join(read_json(Path(MANIFEST), "classes")["classes"]) if Path(MANIFEST).exists() else ""
    if not NAMES.isascii():
        from vitflow.figures.alphabets import advice

        if TOLD := advice(NAMES):
            print(f"vitflow: {TOLD}", file=sys.stderr, flush=True)
