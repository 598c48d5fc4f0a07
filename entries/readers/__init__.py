"""One bounded reader per file format, for sources and imports alike."""
