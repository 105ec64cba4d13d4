"""Vietnamese and English: all texts (`catalogue`), and numbers and times (`translator`)."""
