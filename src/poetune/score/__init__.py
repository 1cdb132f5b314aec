"""Stage 8: how good is it. Losses, before and after, voice, copied lines, and the report that shows them."""
