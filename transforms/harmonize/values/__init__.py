"""Parsers over the distinct values of a column: text as read in, canonical value and verdict out.

Every parser returns one row per input value, in the input's order, and never raises on data. The
common columns are `value` (as given), `status` (`ok`, `missing`, `warning`, `error`), `rule_id` and
`note` (see `common.py`).
"""

from transforms.harmonize.values.codes import Vocabulary, load_vocabulary, parse_codes
from transforms.harmonize.values.common import load_missing_tokens
from transforms.harmonize.values.cytogenetics import parse_cytogenetics
from transforms.harmonize.values.dates import DateFormat, OrderProof, parse_dates, prove_order
from transforms.harmonize.values.match import match_key
from transforms.harmonize.values.numbers import NumberFormat, parse_numbers
from transforms.harmonize.values.regimens import parse_regimens
from transforms.harmonize.values.responses import parse_responses
from transforms.harmonize.values.units import Conversion, find_conversion, load_quantities

__all__ = [
    "Conversion",
    "DateFormat",
    "NumberFormat",
    "OrderProof",
    "Vocabulary",
    "find_conversion",
    "load_missing_tokens",
    "load_quantities",
    "load_vocabulary",
    "match_key",
    "parse_codes",
    "parse_cytogenetics",
    "parse_dates",
    "parse_numbers",
    "parse_regimens",
    "parse_responses",
    "prove_order",
]
