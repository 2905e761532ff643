# Tables over seeds, and winners. They are chosen from validation results of the static grid and reported on fresh
# seeds, so nothing here feeds on itself. From here on, changed code is a reason to rerun:
# vitflow/results/stages.py compares digests, times.py beside it sets file times accordingly.


rule summarise:
    input:
        read_by("summary"),
        manifest=ancient(MANIFEST),
    output:
        report(
            str(HOME.summary),
            caption="../report/runs.rst",
            category=appendix.COMPARISON,
            labels={"figure": "table of all runs"},
        ),
        [path for path in made_by("summary") if path != str(HOME.summary)],
    params:
        config=CONFIG,
    log:
        f"logs/{STUDY.study}/summarise.log",
    shell:
        "vitflow analyse summary --config {params.config} > {log} 2>&1"


if STUDY.best:

    checkpoint select:
        input:
            read_by("select"),
        output:
            made_by("select"),
        params:
            config=CONFIG,
        log:
            f"logs/{STUDY.study}/select.log",
        localrule: True
        shell:
            "vitflow analyse select --config {params.config} > {log} 2>&1"

    def finalists(wildcards):
        """What fresh seeds have to say, once it is known of whom."""
        checkpoints.select.get()
        return [str(path) for path in stages.stages(STUDY)["best"].inputs]

    rule confirm_best:
        input:
            finalists,
        output:
            made_by("best"),
        params:
            config=CONFIG,
        log:
            f"logs/{STUDY.study}/best.log",
        localrule: True
        shell:
            "vitflow analyse best --config {params.config} > {log} 2>&1"
