# One run and seed: train, then score. Training follows from the wanted configuration alone; its file time is
# set from the digest in train.json (vitflow/results/times.py), so git's and DVC's file times mean nothing here.
# A failed evaluation keeps the training. The resume state is not declared, so a failed job keeps it too.


rule train_run:
    input:
        wanted=wanted_of,
        manifest=ancient(MANIFEST),
    output:
        weights=str(ONE_RUN.checkpoint),
        config=str(ONE_RUN.config),
        history=str(ONE_RUN.history),
        record=str(ONE_RUN.train),
    params:
        config=CONFIG,
    log:
        f"logs/{STUDY.study}/train/{{run}}/seed{{seed}}.log",
    group:
        "run"
    threads: TRAINING_THREADS
    resources:
        mem_mb=6000,
        runtime=720,
        jobs_per_gpu=1,
    shell:
        "vitflow train --config {params.config} --run '{wildcards.run}' --seed {wildcards.seed} --threads {threads}"
        " --jobs-per-gpu {resources.jobs_per_gpu} > {log} 2>&1"


rule evaluate_run:
    input:
        record=str(ONE_RUN.train),
        weights=lambda w: weights_of(w, HOME.seed(w.run, w.seed).metrics),
    output:
        metrics=str(ONE_RUN.metrics),
        predictions=str(ONE_RUN.predictions),
    params:
        config=CONFIG,
    log:
        f"logs/{STUDY.study}/evaluate/{{run}}/seed{{seed}}.log",
    group:
        "run"
    threads: TRAINING_THREADS
    resources:
        mem_mb=4000,
        runtime=30,
        jobs_per_gpu=1,
    shell:
        "vitflow evaluate --config {params.config} --run '{wildcards.run}' --seed {wildcards.seed} --threads {threads}"
        " --jobs-per-gpu {resources.jobs_per_gpu} > {log} 2>&1"
