"""The words themselves, by language. `[…]` is said when its facts are known, `|` parts alternatives (see wording.py).

Every SMS stays within the GSM 7-bit alphabet.
"""

from activities.messages.phrases.english import ENGLISH
from activities.messages.phrases.german import GERMAN
from activities.messages.phrases.language import Language

LOCALES = {"en": ENGLISH, "de": GERMAN}

__all__ = ["LOCALES", "Language"]
