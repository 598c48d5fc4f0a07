"""Pictures of the pages for README and docs, made from the demo."""
