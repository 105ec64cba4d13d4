"""The pages, one package each, whose `content` builds the page. They do not import each other."""
