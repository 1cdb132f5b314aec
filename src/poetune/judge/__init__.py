"""Stage 5, candidates -> verdicts: a tournament of small blocks, the judges that rank them, and ratings over all."""
