"""Images: where they come from, their one canonical form, and the splits that a study uses."""
