# The talk: editable Markdown in, HTML, PDF and PPTX out. Its numbers come from analysis/*.
rule render_slides:
    input:
        read_by("slides"),
    output:
        [path for path in made_by("slides") if not path.endswith((".html", ".pdf"))],
        [
            report(path, caption="../report/talk.rst", category=appendix.TALK, labels={"figure": Path(path).name})
            for path in made_by("slides")
            if path.endswith((".html", ".pdf"))
        ],
    params:
        config=CONFIG,
    log:
        f"logs/{STUDY.study}/slides.log",
    shell:
        "vitflow slides --config {params.config} > {log} 2>&1"
