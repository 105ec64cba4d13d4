"""The pages, a package each, with a `content` that gives what the page shows. They do not import each other."""
