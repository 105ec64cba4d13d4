"""Vietnamese and English: the catalogues of all texts (`catalogue`), numbers and times (`translator`)."""
