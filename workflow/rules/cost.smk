# Speed and peak memory of every run, each beside the baseline's. A measurement takes all cores, so that nothing else
# runs on this machine meanwhile; on a cluster, it asks for a node of its own. It comes last: trainings go first.
rule measure_cost:
    input:
        wanted_of,
        ancient(MANIFEST),  # not before it is known that the images are good
    output:
        str(HOME.cost("{run}")),
    params:
        config=CONFIG,
        threads=THREADS,
    log:
        f"logs/{STUDY.study}/cost/{{run}}.log",
    threads: workflow.resource_settings.cores or THREADS
    priority: -1
    resources:
        mem_mb=ask("memory"),
        runtime=min(60, LONGEST),
        gpu=GPUS,
        jobs_per_gpu=JOBS_PER_GPU,
        slurm_extra=f"--exclusive {SITE.words}".strip() if SITE else "",
    shell:
        "vitflow measure --config {params.config} --run '{wildcards.run}' --threads {params.threads}"
        " --gpus {resources.gpu} --jobs-per-gpu {resources.jobs_per_gpu} > {log} 2>&1"
