"""What is asked: the schema of ``config.yaml``, the runs it stands for, and what a mistake in it is told as."""
