"""The colours of the talk, as six hexadecimal digits: ink, one accent, greys; each text colour is at least 4.5 to 1."""

from __future__ import annotations

#: text; second-rank text such as captions, labels and what is not significant; the one accent; what warns
INK, MUTED, ACCENT, WARNING = "16202B", "5A6672", "0069AA", "9A4600"
#: hairlines between rows; the ground of a panel
RULE, PALE = "D3D9DF", "F2F5F8"
#: the opening slide: its ground, its text, its second-rank text
NIGHT, DAY, DUSK = "0D2236", "FFFFFF", "B9C9D8"
#: what is written on what
PAIRS = (
    (INK, DAY),
    (MUTED, DAY),
    (ACCENT, DAY),
    (WARNING, DAY),
    (INK, PALE),
    (MUTED, PALE),
    (DAY, NIGHT),
    (DUSK, NIGHT),
)
