"""Axes, crosses and references that lead to no run."""

from __future__ import annotations

from support.studies import HEAD, IsTold, mistakes


@mistakes(
    {
        HEAD + "ablations: {g: {width: []}}": ["ablations.g.width: an axis needs at least one value"],
        HEAD + "ablations: {g: {patchsize: [2]}}": ["ablations.g.patchsize: no field 'patchsize'", "'patch_size'?"],
        HEAD + "ablations: {g: {width: [[96]]}}": ["ablations.g.width.0: expected a finite number or a word, not [96]"],
        HEAD + "ablations: {g: {width: [2024-01-01]}}": ["line 3: 2024-01-01 would be read as a date"],
        HEAD + "ablations: {g: {width: [null]}}": ["ablations.g.width: model.width: ", "(got None)"],
        HEAD + "ablations: {g: {m: [{width: 96}]}}": ["ablations.g.m: ", "needs a name and at least one field"],
        HEAD + "ablations: {g: {m: [{name: q}]}}": ["ablations.g.m: ", "needs a name and at least one field"],
        HEAD + "ablations: {g: {m: [{name: q, width: [96]}]}}": ["ablations.g.m.0: expected a finite number"],
        HEAD + "ablations: {g: {m: [{name: q, width: 96}, {name: q, width: 48}]}}": ["ablations.g.m: 'q' names two"],
        HEAD + "cross: {c: {width: [96]}}": ["cross.c: a cross needs at least two axes"],
        HEAD + "cross: {c: {}}": ["cross.c: a cross needs at least two axes"],
        HEAD + "cross: {c: {patch_size: [2], width: []}}": ["cross.c.width: an axis needs at least one value"],
        HEAD + "cross: {c: {patch_size: [2], wdth: [96]}}": ["cross.c: no field 'wdth' to vary; did you mean 'width'?"],
        HEAD + "cross: {c: {width: [96], m: [{name: q, width: 48}]}}": ["cross.c: two axes set 'width'"],
        HEAD + "references: {r: {family: resnet, deph: 18}}": ["references.r: no field 'deph' to vary", "'depth'?"],
        HEAD + "references: {r: {family: resnet, heads: 3}}": ["references.r: no field 'heads' to vary"],
        HEAD + "references: {r: {family: resnet, depth: 34}}": ["references.r: model.depth: '34' is not", "18, 50"],
        HEAD + "references: {r: {width: [1]}}": ["references.r.width: expected a finite number or a word, not [1]"],
        HEAD + "references: {vit: {width: x}}": ["references.vit: model.width: ", "(got 'x')"],
    }
)
def test_an_axis_that_leads_to_no_run_is_told(is_told: IsTold, text: str, parts: list[str]) -> None:
    is_told(text, parts)
