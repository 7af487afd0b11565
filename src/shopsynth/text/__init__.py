"""What every room needs to know of words: what a word is, what must not be altered, what is alike.

In: texts as Polars series. Out: their words, their protected spans, their near duplicates. No
stage: it stands below the stages, beside `schema`, and knows nothing of shops.
"""
