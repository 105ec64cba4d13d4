"""Look back: the state of any moment, as it was known then and as corrected since."""
