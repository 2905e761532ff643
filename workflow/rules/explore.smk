# Looking for oneself: validation images that runs get wrong, and a page with table, curves, costs and these images.


# the images are not declared: whoever needs them and lacks them prepares them (data.smk)
rule collect_mistakes:
    input:
        read_by("mistakes"),
        manifest=ancient(MANIFEST),
    output:
        made_by("mistakes"),
    params:
        config=CONFIG,
    log:
        f"logs/{STUDY.study}/mistakes.log",
    resources:
        mem_mb=4000,
        runtime=30,
    shell:
        "vitflow mistakes --config {params.config} > {log} 2>&1"


rule make_page:
    input:
        read_by("explore"),
    output:
        report(
            made_by("explore"),
            caption="../report/talk.rst",
            category=appendix.TALK,
            labels={"figure": "to look for oneself"},
        ),
    params:
        config=CONFIG,
    log:
        f"logs/{STUDY.study}/explore.log",
    shell:
        "vitflow explore --config {params.config} > {log} 2>&1"
