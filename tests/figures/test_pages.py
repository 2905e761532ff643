"""How rows are shared out over pictures: each once and in order, axes whole, no picture too full."""

from __future__ import annotations

from itertools import chain, groupby

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.analysis import example_study

from vitflow.figures.draw import names
from vitflow.figures.pages import FIRST, PAGE, pages
from vitflow.study.names import ConfigError

AXES = st.lists(st.integers(1, 25), max_size=20).map(
    lambda sizes: [f"a{k}" for k, n in enumerate(sizes) for _ in range(n)]
)


@settings(max_examples=300)
@given(AXES)
def test_every_row_is_on_one_page_and_an_axis_that_fits_is_not_torn(axes: list[str]) -> None:
    found = pages(axes)
    if len(axes) <= FIRST:
        assert not found
        return
    assert list(chain(*found)) == list(range(len(axes)))
    assert all(0 < len(page) <= PAGE for page in found)
    for axis, rows in groupby(range(len(axes)), key=axes.__getitem__):
        own = list(rows)
        on = [page for page in found if set(page) & set(own)]
        assert len(on) == 1 or len(own) > PAGE, axis


def test_pages_are_as_full_as_whole_axes_allow() -> None:
    assert pages(["a"] * 10 + ["b"] * 6 + ["c"] * 2) == [range(0, 16), range(16, 18)]
    assert pages(["a"] * 10 + ["b"] * 7) == [range(0, 10), range(10, 17)]
    assert pages(["a"] * 40) == [range(0, 16), range(16, 32), range(32, 40)]
    assert pages(["a"] * 14) == []


def test_no_group_can_be_named_like_a_page_of_another() -> None:
    many = {"augmentation": ["none", "crop"], "width": list(range(8, 8 * (FIRST + 2), 8))}
    study = example_study(ablations={"x": many, "x-1": {"depth": [4, 6]}})
    found = names(study)
    assert {"forest-x", "forest-x+1", "forest-x-1"} <= set(found) and len(found) == len(set(found))
    with pytest.raises(ConfigError):
        example_study(ablations={"x+1": {"pool": ["mean"]}})
