"""Files that people upload: compared in a dry run, then stored, both by a worker."""
