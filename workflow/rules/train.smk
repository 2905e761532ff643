# One run and seed: train, then score. Training follows from the wanted configuration alone; its file time is
# set from the digest in train.json (vitflow/results/times.py), so git's and DVC's file times mean nothing here.
# A failed evaluation keeps the training. The resume state is not declared, so a failed job keeps it too.
# `update`: Snakemake must not delete beforehand what a job of an earlier Snakemake may just have finished. No `log:`,
# which it would delete, too: `logged` (common.smk) appends.

# both in one job of a cluster, whose comment says which
ONE_JOB = HOME.group("{run}", "{seed}")


rule train_run:
    input:
        wanted=wanted_of,
        manifest=ancient(MANIFEST),
    output:
        weights=update(str(ONE_RUN.checkpoint)),
        config=update(str(ONE_RUN.config)),
        history=update(str(ONE_RUN.history)),
        record=update(str(ONE_RUN.train)),
    params:
        config=CONFIG,
    group:
        ONE_JOB
    threads: THREADS
    resources:
        mem_mb=ask("memory"),
        runtime=ask("training"),
        gpu=GPUS,
        jobs_per_gpu=JOBS_PER_GPU,
        slurm_extra=words,
    shell:
        f"logged '{HOME.log('{wildcards.run}', '{wildcards.seed}')}'"
        " vitflow train --config {params.config} --run '{wildcards.run}' --seed {wildcards.seed} --threads {threads}"
        " --gpus {resources.gpu} --jobs-per-gpu {resources.jobs_per_gpu}"


rule evaluate_run:
    input:
        record=str(ONE_RUN.train),
        weights=lambda w: weights_of(w, HOME.seed(w.run, w.seed).metrics),
    output:
        metrics=str(ONE_RUN.metrics),
        predictions=str(ONE_RUN.predictions),
    params:
        config=CONFIG,
    group:
        ONE_JOB
    threads: THREADS
    resources:
        mem_mb=ask("memory"),
        runtime=ask("scoring"),
        gpu=GPUS,
        jobs_per_gpu=JOBS_PER_GPU,
        slurm_extra=words,
    shell:
        f"logged '{HOME.log('{wildcards.run}', '{wildcards.seed}', 'evaluate')}'"
        " vitflow evaluate --config {params.config} --run '{wildcards.run}' --seed {wildcards.seed} --threads {threads}"
        " --gpus {resources.gpu} --jobs-per-gpu {resources.jobs_per_gpu}"
