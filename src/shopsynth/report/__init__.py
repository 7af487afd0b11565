"""Evaluation to pictures, words and ``summary.json``."""
