"""Finding and masking what is personal in words, by rules: English and French."""
