"""What came out of one run: scores, features, cost."""
