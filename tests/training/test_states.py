"""Resume states: the last two are kept, and only a good one of the same run is gone on from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.trainings import Sit, Whole, assert_same_run, interrupt, made_up_state, run_config

from vitflow.training import checkpoint, loop
from vitflow.training.checkpoint import CheckpointError, load_state, save_state


def test_a_damaged_state_and_one_of_other_images_do_not_start_over_either(tmp_path: Path) -> None:
    save_state(tmp_path, made_up_state(4) | {"data": "others"})
    newest = save_state(tmp_path, made_up_state(8))
    newest.write_bytes(b"")
    with pytest.raises(CheckpointError, match="no other state is good"):
        load_state(tmp_path, "ours", "images")


@pytest.mark.parametrize("other", [{"digest": "theirs"}, {"data": "others"}, {"data": None}], ids=str)
def test_a_state_of_something_else_is_never_picked_up(tmp_path: Path, other: dict[str, Any]) -> None:
    save_state(tmp_path, made_up_state(4) | other)
    assert load_state(tmp_path, "ours", "images") == (None, [])
    without = {key: value for key, value in made_up_state(8).items() if key != "data"}
    save_state(tmp_path, without)
    assert load_state(tmp_path, "ours", "images") == (None, []), "it does not say which images it has seen"


def test_after_a_damaged_state_two_good_ones_are_kept_again(tmp_path: Path) -> None:
    first, second = save_state(tmp_path, made_up_state(4)), save_state(tmp_path, made_up_state(8))
    second.write_bytes(second.read_bytes()[:-1])
    third = save_state(tmp_path, made_up_state(12))
    assert sorted(tmp_path.iterdir()) == [first, third], "the damaged one would be no help"


def test_what_is_no_state_of_a_training_is_named(tmp_path: Path) -> None:
    path = save_state(tmp_path, {"step": 1, "digest": Path("executed")})
    with pytest.raises(CheckpointError) as caught:
        load_state(tmp_path, "", "")
    assert str(caught.value).startswith(f"{path}: ") and "\n" not in str(caught.value)


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_the_last_two_states_are_kept(sit: Sit, tmp_path: Path) -> None:
    interrupt(sit, run_config(), 7, checkpoint_seconds=0.0)
    names = sorted(path.name for path in (tmp_path / "state").iterdir())
    assert [name[:14] for name in names] == ["step-000000006", "step-000000007"]


def test_a_damaged_state_is_passed_over_for_the_one_before(sit: Sit, whole: Whole, tmp_path: Path) -> None:
    config = run_config()
    interrupt(sit, config, 7, checkpoint_seconds=0.0)
    newest = max((tmp_path / "state").iterdir())
    damage(newest)
    said: list[str] = []
    resumed = sit(config, said=said)
    assert said[0] == f"{newest}: damaged, passed over"
    assert said[1] == "resumed at step 6 of 12"
    assert resumed.outcome.resumed_from == [6]
    assert_same_run(resumed, whole(config))


def test_a_truncated_state_is_passed_over_too(sit: Sit, tmp_path: Path) -> None:
    interrupt(sit, run_config(), 3, checkpoint_seconds=0.0)
    newest = max((tmp_path / "state").iterdir())
    newest.write_bytes(newest.read_bytes()[:1000])
    assert sit(run_config()).outcome.resumed_from == [2]


def test_where_both_states_are_damaged_the_error_names_the_file_and_the_way_out(sit: Sit, tmp_path: Path) -> None:
    folder = tmp_path / "state"
    interrupt(sit, run_config(), 7, checkpoint_seconds=0.0)
    for path in folder.iterdir():
        damage(path)
    with pytest.raises(CheckpointError) as error:
        sit(run_config())
    message = str(error.value)
    assert str(max(folder.iterdir())) in message and f"delete {folder} to start over" in message
    assert "\n" not in message
    assert len(list(folder.iterdir())) == 2, "nothing is deleted unasked"


def test_a_state_of_another_configuration_is_never_picked_up(sit: Sit, whole: Whole) -> None:
    other = run_config(learning_rate=1e-3)
    interrupt(sit, run_config(), 7, checkpoint_seconds=0.0)
    after = sit(other)
    assert after.outcome.resumed_from == []
    assert_same_run(after, whole(other))


def test_states_of_another_configuration_do_not_push_out_new_ones(sit: Sit) -> None:
    interrupt(sit, run_config(), 7, checkpoint_seconds=0.0)
    other = run_config(learning_rate=1e-3)
    with pytest.raises(loop.Interrupted):
        sit(other, stop_at=10, checkpoint_seconds=1e9)  # counted from 7: after three updates
    assert sit(other).outcome.resumed_from == [3]


def test_states_are_read_without_executing_anything(tmp_path: Path) -> None:
    """A pickle that would call a function is refused, even with the right digest in its name."""

    class Call:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "executed",))

    state: dict[str, Any] = {"step": 1, "digest": Call()}
    checkpoint.save_state(tmp_path / "state", state)
    with pytest.raises(Exception, match="Weights only load failed"):
        checkpoint.load_state(tmp_path / "state", "", "")
    assert not (tmp_path / "executed").exists()


def test_a_finished_runs_states_are_cleared_and_nothing_else(sit: Sit, tmp_path: Path) -> None:
    folder = tmp_path / "state"
    interrupt(sit, run_config(), 2, checkpoint_seconds=0.0)
    (folder / "lock").touch()
    checkpoint.clear_states(folder)
    assert [path.name for path in folder.iterdir()] == ["lock"]
