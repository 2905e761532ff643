# The talk: editable Markdown in, HTML, PDF and PPTX out. Its numbers come from analysis/*.
rule render_slides:
    input:
        rules.summarise.output.summary,
        BEST,
        FIGURES,
        talk="workflow/slides/slides.md.j2",
        techniques="workflow/slides/techniques.yaml",
    output:
        DECK,
    params:
        config=CONFIG,
        sources=source_digest("slides"),
    log:
        f"logs/{STUDY.study}/slides.log",
    shell:
        "vitflow slides --config {params.config} > {log} 2>&1"
