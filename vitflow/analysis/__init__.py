"""From stored results to the small numbers that figures and slides are drawn from."""
