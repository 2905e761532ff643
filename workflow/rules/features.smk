# Named intermediates of validation images, and their principal components.


rule extract_features:
    input:
        record=str(HOME.seed("{run}", 0).train),
        weights=lambda w: weights_of(w, HOME.features / f"{w.run}.json"),
    output:
        arrays=str(HOME.features / "{run}.safetensors"),
        manifest=str(HOME.features / "{run}.json"),
    params:
        config=CONFIG,
    log:
        f"logs/{STUDY.study}/features/{{run}}.log",
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
        jobs_per_gpu=1,
    shell:
        "vitflow features --config {params.config} --run '{wildcards.run}' --threads {threads}"
        " --jobs-per-gpu {resources.jobs_per_gpu} > {log} 2>&1"


rule principal_components:
    input:
        read_by("pca"),
        arrays=[ancient(path.replace(".json", ".safetensors")) for path in read_by("pca")],
    output:
        made_by("pca"),
    params:
        config=CONFIG,
    log:
        f"logs/{STUDY.study}/pca.log",
    resources:
        mem_mb=4000,
        runtime=30,
    shell:
        "vitflow analyse pca --config {params.config} > {log} 2>&1"
