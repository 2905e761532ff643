# The talk: editable Markdown in, HTML, PDF and PPTX out. Its numbers come from analysis/*.
rule render_slides:
    input:
        read_by("slides"),
    output:
        made_by("slides"),
    params:
        config=CONFIG,
    log:
        f"logs/{STUDY.study}/slides.log",
    shell:
        "vitflow slides --config {params.config} > {log} 2>&1"
