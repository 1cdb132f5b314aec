"""What a poem is: lines, language, overlap and repetition of texts. Pure; knows nothing else of the house."""
