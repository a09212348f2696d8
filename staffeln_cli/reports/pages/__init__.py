"""Reports as pages: one page model, rendered as HTML and as plain text."""
