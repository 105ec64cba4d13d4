"""The past on the screens: the bar of every screen that shows a moment of it, and the page that chooses and compares moments."""
