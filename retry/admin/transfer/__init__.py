"""Taking entries out in files and bringing them in: django-import-export around our own verbs."""
