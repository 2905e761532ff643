"""Augmentation of whole batches: shifts and flips, TrivialAugment, erasing, mixing."""
