"""Weights (safetensors) and resume states (a tensor tree, loaded without executing anything).

A resume state carries its digest in its name, so that content and digest appear in one rename. The last two
are kept: where the newer one is damaged, the older one is used and the damage is reported. A state names the
configuration and the images it belongs to, and is used with no others.
"""

from __future__ import annotations

import hashlib
import io
import pickle
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import nn

from vitflow.machine.files import FileProblem, publishing, sweep

KEPT = 2


class CheckpointError(RuntimeError):
    """Weights or resume states are missing or damaged; the message names the file and what to do."""


def save_weights(path: Path, model: nn.Module) -> None:
    """Publish the model's parameters and buffers."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    with publishing(path) as temporary:
        temporary.write_bytes(safetensors.torch.save(tensors))


def load_weights(path: Path, model: nn.Module) -> None:
    """Fill ``model`` with stored weights. Raises CheckpointError if they are missing, damaged or of another model."""
    if not path.exists():
        raise CheckpointError(
            f"{path}: no such weights; get them with `vitflow restore` where they were recorded, "
            f"or delete the run's folder to train it again"
        )
    try:
        model.load_state_dict(safetensors.torch.load_file(path))
    except (SafetensorError, RuntimeError, OSError) as error:
        first = str(error).splitlines()[0]
        raise CheckpointError(
            f"{path}: damaged, or weights of another model ({first}); delete it and train again"
        ) from None


def save_state(folder: Path, state: dict[str, Any]) -> Path:
    """Publish a resume state as ``step-<step>-<digest>.pt`` and drop all but it and the last good one before."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    content = buffer.getvalue()
    path = folder / f"step-{state['step']:09d}-{hashlib.sha256(content).hexdigest()[:32]}.pt"
    with publishing(path) as temporary:
        temporary.write_bytes(content)
    earlier = [other for other in _states(folder) if other.name < path.name and _is_intact(other)]
    for other in _states(folder):  # states ahead of this one are damaged, or of something else
        if other not in (path, *earlier[: KEPT - 1]):
            other.unlink(missing_ok=True)
    return path


def load_state(folder: Path, digest: str, data: str) -> tuple[dict[str, Any] | None, list[str]]:
    """(newest good state of the configuration ``digest`` on images ``data``, or None; a line per damaged file).

    Raises CheckpointError where states are damaged and none is good: to start over is for people to decide.
    """
    damaged: list[str] = []
    for path in _states(folder):
        content = _read(path)
        if not _is_intact(path, content):
            damaged.append(f"{path}: damaged")
            continue
        try:
            state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        except (RuntimeError, ValueError, pickle.UnpicklingError) as error:
            first = str(error).splitlines()[0]
            raise CheckpointError(f"{path}: no state of a training ({first}); delete {folder} to start over") from None
        if (state["digest"], state.get("data")) == (digest, data):
            return state, damaged
    if damaged:
        raise CheckpointError(
            f"{damaged[0]}, and no other state is good; put a copy in its place, or delete {folder} to start over"
        )
    return None, []


def sweep_states(folder: Path) -> None:
    """Remove what killed processes left half-written."""
    sweep(folder, "step-*.pt")


def clear_states(folder: Path) -> None:
    """Remove the resume states of a finished run."""
    for path in _states(folder):
        path.unlink(missing_ok=True)


def _states(folder: Path) -> list[Path]:
    return sorted(folder.glob("step-*.pt"), reverse=True)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise FileProblem(f"{path}: cannot be read ({error.strerror})") from None


def _is_intact(path: Path, content: bytes | None = None) -> bool:
    """Whether the content is the one that the name promises."""
    content = _read(path) if content is None else content
    return hashlib.sha256(content).hexdigest()[:32] == path.stem.rsplit("-", 1)[1]
