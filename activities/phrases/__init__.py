"""The words themselves, by language. `[…]` is said when its facts are known, `|` parts alternatives (see wording.py).

Every SMS stays within the GSM 7-bit alphabet.
"""

from activities.phrases.english import ENGLISH
from activities.phrases.german import GERMAN
from activities.phrases.language import Kind, Language

LOCALES = {"en": ENGLISH, "de": GERMAN}

__all__ = ["LOCALES", "Kind", "Language"]
