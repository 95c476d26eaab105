"""Trains the reader that fiche ships: `python -m evals.reader`. Never sees the fiche or its questions."""
