"""Vietnamese and English: the words of all screens, and how numbers and moments are written."""
