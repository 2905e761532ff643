# What validation images look like inside models, layer by layer, and what that says.


rule extract_features:
    input:
        record=lambda w: str(job_of(w).paths.train),
        weights=lambda w: weights_of(w, HOME.features / f"{w.run}.json"),
    output:
        arrays=str(HOME.features / "{run}.safetensors"),
        manifest=str(HOME.features / "{run}.json"),
    params:
        config=CONFIG,
    log:
        f"logs/{STUDY.study}/features/{{run}}.log",
    threads: THREADS
    resources:
        mem_mb=ask("memory"),
        runtime=ask("scoring"),
        gpu=GPUS,
        jobs_per_gpu=JOBS_PER_GPU,
    shell:
        "vitflow features --config {params.config} --run '{wildcards.run}' --threads {threads}"
        " --gpus {resources.gpu} --jobs-per-gpu {resources.jobs_per_gpu} > {log} 2>&1"


def taken(wildcards):
    """Manifests of the features, once it is known whose: else a plan would train anew in a clone what it may not need."""
    if BEST in STUDY.features.runs:
        checkpoints.select.get()
    return read_by("features")


rule look_inside:
    input:
        taken,
        arrays=lambda w: [ancient(path.replace(".json", ".safetensors")) for path in taken(w)],
    output:
        made_by("features"),
    params:
        config=CONFIG,
    log:
        f"logs/{STUDY.study}/features.log",
    resources:
        mem_mb=4000,
        runtime=30,
    shell:
        "vitflow analyse features --config {params.config} > {log} 2>&1"
