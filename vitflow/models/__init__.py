"""Models: a Vision Transformer put together from interchangeable parts, and ResNets to compare it with."""
