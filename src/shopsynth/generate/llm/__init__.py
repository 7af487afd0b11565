"""Language models behind an endpoint: asked in batches, paid once, checked by form.

In: records of a shop, a template, the form of an answer. Out: answers in order, rejects with their
reasons, and what it cost. Methods of the room ``generate`` call :func:`ask_all`.
"""

from shopsynth.generate.llm.batch import PREVIEW, Answers, Question, Request, Result, ask_all
from shopsynth.generate.llm.embedded import embedded_endpoint
from shopsynth.generate.llm.endpoint import EndpointSettings, FailedCall, LLMEndpoint, Reply
from shopsynth.generate.llm.spend import Spend, read_spend
from shopsynth.generate.llm.templates import Cell, Template

__all__ = [
    "PREVIEW",
    "Answers",
    "Cell",
    "EndpointSettings",
    "FailedCall",
    "LLMEndpoint",
    "Question",
    "Reply",
    "Request",
    "Result",
    "Spend",
    "Template",
    "ask_all",
    "embedded_endpoint",
    "read_spend",
]
