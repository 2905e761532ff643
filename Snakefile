# The table of contents of a study. Reads one configuration, plans every run, and trains only what has
# changed or is missing. Read the rules in the order of the includes: it is the order of the talk.
#
#   snakemake --cores 8 all_ablations                                   the grid of config.yaml
#   snakemake --cores 8                                                 all of it, to the deck
#   snakemake --cores 8 --configfile workflow/studies/digits.yaml       another study
#   snakemake --cores 1 figures slides                                  presentation only

from pathlib import Path

from snakemake.exceptions import WorkflowError

from vitflow.machine.files import FileProblem
from vitflow.results.place import check_folder, take_away_log
from vitflow.study.names import ConfigError
from vitflow.study.reading import read_yaml

try:
    check_folder(Path(workflow.main_snakefile))
except FileProblem as error:
    take_away_log()
    raise WorkflowError(str(error))

try:
    if "study" not in config:
        read_yaml("config.yaml")  # Snakemake meets a file that is no text with a traceback
except (ConfigError, FileProblem) as error:
    raise WorkflowError(str(error))

# `configfile:` would merge: axes of config.yaml would leak into a study given with --configfile
if "study" not in config:

    configfile: "config.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/cluster.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/cost.smk"
include: "workflow/rules/features.smk"
include: "workflow/rules/pretrained.smk"
include: "workflow/rules/analysis.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/slides.smk"
include: "workflow/rules/explore.smk"


# what is small, or needs a network, runs where Snakemake runs; a cluster gets what trains, scores, measures and looks in
localrules:
    all,
    all_ablations,
    data,
    train,
    evaluate,
    measure,
    features,
    best,
    figures,
    slides,
    explore,
    prepare,
    summarise,
    look_inside,
    collect_mistakes,
    draw,
    render_slides,
    make_page,


rule all:
    default_target: True
    input:
        SCORES,
        made_by("summary"),
        made_by("figures"),
        made_by("best"),
        made_by("slides"),
        made_by("explore"),


# every run trained and evaluated, tables, figures
rule all_ablations:
    input:
        SCORES,
        made_by("summary"),
        made_by("figures"),


rule data:
    input:
        MANIFEST,
        str(places.prepared(STUDY.dataset.key)),


rule train:
    input:
        [str(job.paths.train) for job in JOBS],


rule evaluate:
    input:
        SCORES,


rule measure:
    input:
        [str(HOME.cost(run)) for run in GRID.runs],


rule features:
    input:
        made_by("features"),
        made_by("pretrained"),


rule best:
    input:
        made_by("best"),


rule figures:
    input:
        made_by("figures"),


rule slides:
    input:
        made_by("slides"),


rule explore:
    input:
        made_by("explore"),
