"""The languages of the desk, and the folders of their catalogs.

Texts in the code are English, and so is all that is stored, logged or answered by the API. What a
page shows is translated while it is shown.
"""

from config.env import BASE_DIR

#: The language of the code, which needs no catalog.
SOURCE = "en"
LANGUAGES = [(SOURCE, "English"), ("de", "Deutsch")]

#: Catalogs of the project. Those of the apps are found by themselves.
LOCALE_PATHS = [BASE_DIR / "config" / "locale"]
