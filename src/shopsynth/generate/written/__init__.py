"""What a language model writes for a shop: searches, paraphrases, reviews, texts of items, adverts.

In: a private view, and whom to ask. Out: rows that passed every check, and every rejected text with
its reason. The methods of the room that ask (``llm_queries``, ``llm_item_texts`` and the others)
stand on this body: each says what to ask about a record and what an answer must hold to.
"""

from shopsynth.generate.written.grounding import Grounds
from shopsynth.generate.written.policies import Policy
from shopsynth.generate.written.settings import WritingOptions
from shopsynth.generate.written.writing import Draft, Task, Writing, Written, preview, write

__all__ = [
    "Draft",
    "Grounds",
    "Policy",
    "Task",
    "Writing",
    "WritingOptions",
    "Written",
    "preview",
    "write",
]
