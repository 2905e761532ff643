# Images in canonical form. Later rules depend on the manifest, which git keeps; the bytes themselves are made
# again by whoever needs them, so that their absence reschedules nothing. `update`: Snakemake must not delete
# the manifest beforehand, for it says what the bytes have to be. No params: studies share their images.
rule prepare:
    output:
        manifest=report(
            update(MANIFEST), caption="../report/data.rst", category=appendix.DATA, labels={"figure": "images"}
        ),
        images=str(places.prepared(STUDY.dataset.key)),
    log:
        f"logs/{STUDY.study}/prepare.log",
    resources:
        mem_mb=2000,
        runtime=30,
    shell:
        f"vitflow prepare --config {CONFIG} > {{log}} 2>&1"
