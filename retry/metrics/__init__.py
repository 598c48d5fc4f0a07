"""What a scrape of the metrics shows: numbers of the whole desk, without a name of an entry."""
