"""How a source is written, as far as its reader must be told: the options of `load`, each with its help."""

from __future__ import annotations

__all__ = ["DECLARATIONS"]

DECLARATIONS = {
    "mapping": "Mapping file, or the name of a shipped one (online_retail_uci, cdnow).",
    "timezone": "Business time zone: it says when a day ends. Default: the folder's dataset file, else UTC.",
    "currency": "The one currency to keep, ISO 4217.",
    "source_timezone": "Time zone of times that carry none. Default: UTC.",
    "date_format": "How dates are written, for example %d/%m/%Y.",
    "date_unit": "excel, s, ms or us, where dates are numbers.",
    "decimal": "Decimal mark: . or ,",
    "thousands": "Thousands mark.",
    "money_unit": "major (euros) or minor (cents). Default: cents for whole-number columns of typed sources.",
    "negative_amount": "What a negative amount is: refund or set_aside.",
    "duplicates": "Of different rows with one key keep none (set_aside), the first or the last.",
    "delimiter": "What separates fields of a CSV file.",
    "encoding": "Encoding of a CSV file, for example cp1252.",
}
