"""What several test files build: made-up results, checkouts, processes that are killed."""
