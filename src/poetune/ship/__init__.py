"""Stage 9: out of the house. The model card, and bundles with a checksum for every file."""
