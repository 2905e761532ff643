# Figures, from analysis/* alone: no weights, no images, no torch.
rule draw:
    input:
        read_by("figures"),
    output:
        [
            report(
                path,
                caption=str(appendix.caption(HOME, Path(path).stem)),
                category=appendix.chapter(Path(path).stem),
                labels={"figure": Path(path).stem},
            )
            for path in made_by("figures")
            if path.endswith(".svg")
        ],
        [path for path in made_by("figures") if not path.endswith(".svg")],
    params:
        config=CONFIG,
    log:
        f"logs/{STUDY.study}/figures.log",
    shell:
        "vitflow figures --config {params.config} > {log} 2>&1"
