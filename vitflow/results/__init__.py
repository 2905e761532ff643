"""Where results lie and whether they are true: layout, provenance, ledger, stages, audit, DVC."""
