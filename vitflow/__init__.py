"""Small-dataset Vision Transformer studies, from one configuration file to a talk."""

__version__ = "0.1.0"
