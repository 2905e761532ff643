"""Figures of a study, drawn from the small numbers in ``results/<study>/analysis`` alone."""
