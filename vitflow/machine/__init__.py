"""What it runs on: devices, threads, places on a GPU, memory, signals, files that are whole or not there."""
