"""Ours against timm, vit-pytorch and torchvision, in one run: `make bench`."""
