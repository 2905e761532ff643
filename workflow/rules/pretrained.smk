# A ResNet-50 that has seen ImageNet, only where the study asks for it. It is in no table: see docs/decisions.md.
if STUDY.pretrained:

    rule probe_pretrained:
        input:
            read_by("pretrained"),
        output:
            made_by("pretrained"),
        params:
            config=CONFIG,
        log:
            f"logs/{STUDY.study}/pretrained.log",
        threads: THREADS
        resources:
            mem_mb=4000,
            runtime=min(240, LONGEST),
            gpu=GPUS,
            jobs_per_gpu=JOBS_PER_GPU,
        shell:
            "vitflow probe --config {params.config} --threads {threads}"
            " --gpus {resources.gpu} --jobs-per-gpu {resources.jobs_per_gpu} > {log} 2>&1"
