"""`python -m benchmarks.dry_run`: how long it takes to plan a study of a thousand runs for a cluster.

In a checkout of its own; nothing is trained, and no cluster is asked.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
RUNS, LIMIT = 1000, 10.0  #: seconds
STUDY = """
study: thousand
dataset: {{name: digits}}
training: {{epochs: 1, warmup_epochs: 0}}
baseline: {{patch_size: 4, width: 16, depth: 2, heads: 2}}
seeds: 1
ablations: {{recipe: {{learning_rate: [{values}]}}}}
"""


def main() -> int:
    """Print the time of a dry run of all trainings; 1 where it is over the limit."""
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder) / "vitflow"
        where.mkdir()
        for name in ("Snakefile", "vitflow", "workflow", "profiles"):
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, where / name)
        rates = ", ".join(f"{0.0015 + number / 1e6:.6f}" for number in range(1, RUNS))
        (where / "config.yaml").write_text(STUDY.format(values=rates))
        words = [sys.executable, "-m", "snakemake", "-n", "--quiet", "--profile", "profiles/slurm", "evaluate"]
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        for visit in ("first", "second"):  # the first also writes what each run is to be
            started = os.times()
            subprocess.run(words, cwd=where, env=os.environ | {"PYTHONPATH": str(where), "PATH": path}, check=True)
            ended = os.times()  # of the processor, so that what else runs here does not count
            seconds = ended.children_user + ended.children_system - started.children_user - started.children_system
            print(
                f"{RUNS} runs planned in {seconds:.1f} s of one core, {ended.elapsed - started.elapsed:.1f} s ({visit})"
            )
    return int(seconds > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
