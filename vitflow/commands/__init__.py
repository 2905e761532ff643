"""The commands, a file each: its arguments, what it reads, what it calls, what it publishes.

A command is a module of this folder with ``EXAMPLE`` and, where more is to be told, ``DETAILS``, both for ``--help``;
``arguments(parser)``, which adds its options; and ``run(options)``, which returns the exit code. Everything is
published whole, last of all the file that says the step is done, with its provenance.
"""

#: by name, what ``vitflow --help`` says of it
COMMANDS = {
    "plan": "what a study consists of and how long it takes here",
    "status": "what is done, running, waiting, stale or orphaned",
    "cluster": "what a SLURM cluster grants, and the profile for it",
    "prepare": "prepare the dataset",
    "train": "train one run, or whatever is missing",
    "measure": "measure speed and memory, alone on this machine",
    "evaluate": "score final weights",
    "features": "store named intermediates of validation images",
    "probe": "read the features of a ResNet-50 that has seen ImageNet, if the study asks for it",
    "analyse": "tables, principal components, selection",
    "mistakes": "store validation images that runs get wrong, and what each run says of them",
    "figures": "draw figures from the analysis",
    "slides": "render the talk as HTML, PDF and PPTX",
    "explore": "make the page on which to look for oneself",
    "record": "verify results and hand them to DVC",
    "restore": "get weights, features and images back from DVC, and verify them",
    "schema": "print the JSON schema of config.yaml",
}
