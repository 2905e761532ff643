"""Images: where they come from, their one canonical form, and augmentation."""
