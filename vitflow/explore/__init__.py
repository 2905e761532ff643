"""One page on which to look for oneself: table, curves, costs and mistakes of all runs."""
