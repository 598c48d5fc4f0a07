"""Taking entries out in files and bringing them in."""
