"""Measurements, each with a baseline in the same run: `python -m bench [name ...]`. README.md says what they mean."""
