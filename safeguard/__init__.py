"""Safeguard: proves that what customers made survives a service split, merge, move or shutdown."""

__version__ = "0.1.0"
