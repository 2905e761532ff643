# Figures, from analysis/* alone: no weights, no images, no torch.
rule draw:
    input:
        rules.summarise.output,
        PCA,
    output:
        report(
            [path for path in FIGURES if path.endswith(".svg")],
            caption="../report/figure.rst",
            category=STUDY.study,
        ),
        [path for path in FIGURES if not path.endswith(".svg")],
    params:
        config=CONFIG,
        sources=source_digest("figures"),
    log:
        f"logs/{STUDY.study}/figures.log",
    shell:
        "vitflow figures --config {params.config} > {log} 2>&1"
