"""Stage 7: what was kept goes back into the corpus, and the guards look at what that does to it."""
