"""A report as a page, Markdown, LaTeX, CSV and JSON."""
