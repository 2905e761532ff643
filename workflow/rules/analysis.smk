# Tables over seeds, and the winning combination. Winners are chosen from validation results of the static grid
# and reported on fresh seeds, so nothing here feeds on itself. From here on, changed code is a reason to rerun.


rule summarise:
    input:
        SCORES,
        histories=[str(job.paths.history) for job in JOBS],
        records=[str(job.paths.train) for job in JOBS],
        manifest=ancient(MANIFEST),
    output:
        TABLES,
        summary=str(HOME.analysis / "summary.json"),
        curves=str(HOME.analysis / "curves.csv"),
        confusion=str(HOME.analysis / "confusion.json"),
        calibration=str(HOME.analysis / "calibration.json"),
    params:
        config=CONFIG,
        sources=source_digest("analysis"),
        study=ledger.study_digest(STUDY),
    log:
        f"logs/{STUDY.study}/summarise.log",
    shell:
        "vitflow analyse summary --config {params.config} > {log} 2>&1"


if STUDY.best:

    checkpoint select:
        input:
            SCORES,
        output:
            str(HOME.selection),
        params:
            config=CONFIG,
        log:
            f"logs/{STUDY.study}/select.log",
        shell:
            "vitflow analyse select --config {params.config} > {log} 2>&1"

    rule confirm_best:
        input:
            str(HOME.selection),
            [
                str(HOME.seed(WINNER, seed).metrics)
                for seed in range(FRESH_SEED, FRESH_SEED + STUDY.best.seeds)
            ],
        output:
            BEST,
        params:
            config=CONFIG,
            sources=source_digest("analysis"),
        log:
            f"logs/{STUDY.study}/best.log",
        shell:
            "vitflow analyse best --config {params.config} > {log} 2>&1"
