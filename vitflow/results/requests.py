"""What a run asks of a cluster: as much time and memory as it needs, and no more than a site grants.

What runs need is planned once (`vitflow plan --requests`), measured and counted, and corrected by what trainings of the
study have taken since. Too little is no harm: a training that is stopped goes on in its next job. No torch here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median

from vitflow.machine.files import read_json, write_json
from vitflow.results.layout import Layout
from vitflow.results.ledger import Job, training_record
from vitflow.study.schema import Study

#: of the time that is expected; and minutes for what does not grow with it: start, images, compilation
MARGIN, MINUTES = 1.5, 10
#: MB of a process before it trains; with CUDA's libraries, where activations are on the GPU
PROCESS, CUDA_PROCESS = 1500, 6000
#: where nothing is planned yet (a dry run), in MB
UNKNOWN = 6000


def keep_needs(study: Study, needs: Mapping[str, tuple[float, int]], jobs: Iterable[Job]) -> None:
    """Keep (hours, bytes) of the runs by the digests of their configurations."""
    digests = {job.run: job.config.digest for job in jobs}
    kept = {digests[run]: {"run": run, "hours": hours, "bytes": size} for run, (hours, size) in needs.items()}
    write_json(Layout(study.study).needs, kept)


@dataclass(frozen=True)
class Requests:
    """What jobs of a study ask for, where a job gets at most ``minutes`` and ``megabytes``."""

    needs: Mapping[str, Mapping[str, float]]  #: by digest of the configuration
    taken: float  #: hours that trainings took, as a multiple of the planned ones
    gpus: int
    minutes: int
    megabytes: int | None = None

    @classmethod
    def read(cls, study: Study, jobs: Iterable[Job], gpus: int, minutes: int, megabytes: int | None = None) -> Requests:
        """From what is planned, and from the records of trainings."""
        path = Layout(study.study).needs
        needs = read_json(path) if path.exists() else {}
        ratios = [
            training_record(job.paths)["cost"]["seconds"] / 3600 / needs[job.config.digest]["hours"]
            for job in jobs
            if job.config.digest in needs and job.status in ("trained", "done")
        ]
        return cls(needs, median(ratios) if ratios else 1.0, gpus, minutes, megabytes)

    def knows(self, job: Job) -> bool:
        """Whether the run's needs are planned."""
        return job.config.digest in self.needs

    def scoring(self, job: Job, attempt: int = 1) -> int:
        """Minutes for scoring it, which shares the training's job and time: a few looks at every image."""
        return max(1, min(MINUTES + self._minutes(job) // 10, self.minutes // 4))

    def training(self, job: Job, attempt: int = 1) -> int:
        """Minutes for training it; with the scoring, no more than a job gets."""
        return max(1, min(attempt * (MINUTES + self._minutes(job)), self.minutes - self.scoring(job)))

    def memory(self, job: Job, attempt: int = 1) -> int:
        """MB, in hundreds."""
        if not self.knows(job):
            needed = UNKNOWN
        elif self.gpus:
            needed = CUDA_PROCESS
        else:
            needed = PROCESS + math.ceil(MARGIN * self.needs[job.config.digest]["bytes"] / 2**20)
        asked = attempt * math.ceil(needed / 100) * 100
        return max(needed, min(asked, self.megabytes or asked))

    def _minutes(self, job: Job) -> int:
        if not self.knows(job):
            return self.minutes
        return math.ceil(MARGIN * self.taken * self.needs[job.config.digest]["hours"] * 60)
