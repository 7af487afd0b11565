"""Attacks on a release: one file an attack, each with what it could not have seen."""
