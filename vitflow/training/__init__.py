"""The recipe: optimizer, schedule, loop and checkpoints."""
