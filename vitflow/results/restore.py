"""Get results back from DVC, and verify them: `vitflow restore`."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

from vitflow.machine.files import sha256
from vitflow.results.audit import audit
from vitflow.results.dvc import DVC, RecordError, dvc, listed, needs_repository, pointer_of, read_pointer, stated_digest
from vitflow.results.layout import Layout
from vitflow.results.record import left_over
from vitflow.study.names import counted
from vitflow.study.schema import Study


def restore(study: Study, say: Callable[[str], None]) -> None:
    """Get weights, arrays and images that DVC keeps, as far as they can be had, and verify them.

    What is here and right is not touched. Raises RecordError naming what came damaged (it is taken away again),
    and whatever else is not what the configuration says.
    """
    needs_repository(Layout(study.study).root)
    found = audit(study)
    missing = found.elsewhere | found.foreign
    problems: list[str] = []
    targets: list[Path] = []
    for path, digest in missing.items():
        stated = stated_digest(path)
        if stated == digest:
            targets.append(path)
        elif stated is not None:
            problems.append(
                f"{pointer_of(path)}: keeps other bytes than this result; run `vitflow record` where they are"
            )
    if targets:
        problems += _fetch(targets, missing, say)
    after = audit(study)
    say(f"{counted(sum(path in after.verified for path in targets), 'file')} restored, {len(after.verified)} verified")
    if after.elsewhere:
        say(listed(f"{len(after.elsewhere)} elsewhere; figures and slides need none of them:", after.elsewhere))
    told = {problem.split(": ")[0] for problem in problems}  # by file
    problems += [problem for problem in after.problems if problem.split(": ")[0] not in told]
    if problems:
        raise RecordError(listed("not everything is what the configuration says:", problems))
    for line in left_over(after):
        say(line)


def _fetch(targets: list[Path], digests: dict[Path, str], say: Callable[[str], None]) -> list[str]:
    """Get ``targets`` from the cache, and before that from the default remote; what came damaged is taken away."""
    if dvc("config", "core.remote", check=False):
        # what the remote lacks is told below, by name
        pointers = [str(pointer_of(path)) for path in targets]
        subprocess.run([*DVC, "fetch", *pointers], stdin=subprocess.DEVNULL, check=False)
    else:
        say("no DVC remote is set (`dvc remote add --default NAME URL`); taking what this machine's cache has")
    unsaved = _check_out(targets)
    problems = [
        f"{path}: other bytes than this result's, and DVC keeps them nowhere; move it away, or delete it, and restore"
        for path in unsaved
    ]
    for path in targets:
        if path not in unsaved and path.exists() and sha256(path) != digests[path]:
            md5 = (read_pointer(path) or {})["outs"][0]["md5"]
            path.unlink()
            problems.append(
                f"{path}: DVC's copy is damaged; delete files/md5/{md5[:2]}/{md5[2:]} in .dvc/cache (and in the "
                f"remote, if it is damaged there) and restore again, or train the run again"
            )
    return problems


def _check_out(targets: list[Path]) -> list[Path]:
    """Put DVC's versions in place; returns those left alone, for DVC does not keep the bytes that stand there."""
    pointers = [pointer_of(path) for path in targets]
    try:
        dvc("checkout", "--allow-missing", *pointers)
        return []
    except RecordError:  # one of them is enough, and DVC checks out none
        pass
    unsaved = []
    for path, pointer in zip(targets, pointers, strict=True):
        try:
            dvc("checkout", "--allow-missing", pointer)
        except RecordError as error:
            if "unsaved" not in str(error):
                raise
            unsaved.append(path)
    return unsaved
