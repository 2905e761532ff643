"""Test data: analysis files as the analysis room writes them, made up but plausible.

``example_study(...)`` gives a study, ``write_analysis(folder, study, ...)`` the files that its analysis would have
left in ``results/<study>/analysis``. Every number is drawn from a fixed generator: nothing here was measured, and
nothing here may leave the tests.
"""

from support.analysis.files import write_analysis
from support.analysis.studies import ARCHITECTURE, LONG, MANY, REFERENCES, TECHNIQUES, example_study

__all__ = ["ARCHITECTURE", "LONG", "MANY", "REFERENCES", "TECHNIQUES", "example_study", "write_analysis"]
