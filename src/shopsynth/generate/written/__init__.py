"""What a language model writes for a shop: searches, paraphrases, reviews, texts of items, adverts.

In: a private view, and whom to ask. Out: rows that passed every check, and every rejected text with
its reason. Searches, paraphrases and reviews are methods of the room (``llm_queries``,
``llm_paraphrases``, ``llm_reviews``); texts of items, adverts and dialogues are functions here, for
no table of the shop holds them.
"""

from shopsynth.generate.written.adverts import AdvertOptions, write_adverts
from shopsynth.generate.written.dialogues import (
    Dialogue,
    DialogueOptions,
    Policy,
    Slot,
    Turn,
    WrittenDialogues,
    write_dialogues,
)
from shopsynth.generate.written.grounding import Grounds
from shopsynth.generate.written.item_texts import ItemTextOptions, write_item_texts
from shopsynth.generate.written.settings import WritingOptions
from shopsynth.generate.written.texts import WrittenTexts
from shopsynth.generate.written.writing import Draft, Task, Writing, Written, preview, write

__all__ = [
    "AdvertOptions",
    "Dialogue",
    "DialogueOptions",
    "Draft",
    "Grounds",
    "ItemTextOptions",
    "Policy",
    "Slot",
    "Task",
    "Turn",
    "Writing",
    "WritingOptions",
    "Written",
    "WrittenDialogues",
    "WrittenTexts",
    "preview",
    "write",
    "write_adverts",
    "write_dialogues",
    "write_item_texts",
]
