"""Names are plain English of the field. These were ours once, and a newcomer had to learn them."""

import ast
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent.parent
ROOMS = ("workflows", "activities", "workers", "starter", "infra", "tests")
GONE = {
    *("standing", "head", "axes", "axis", "open_intent", "close_intent", "renew_intent", "share_out"),
    *("goods", "shelves"),
    *("live", "told", "said", "heard", "spoke", "noticed", "moot", "needless", "healed", "around", "verdict"),
}
"""Of functions, classes, fields and columns, parameters and variables."""
GONE_MODULES = {
    *("standing", "axes", "intents", "shares", "goods", "shelves", "record", "around", "parts", "answers", "numbers"),
    "once",
    *("stage", "tour", "playing", "posters", "verdict", "outside", "paper", "acts", "happenings", "floor", "mentions"),
    *("shapes", "said"),
}
VENDORS_WORDS = {
    "infra/sandbox/stripe/intents.py": "Stripe's payment intents",
    "infra/sandbox/twilio/numbers.py": "telephone numbers",
    "infra/sandbox/twilio/answers.py": "what Twilio answers",
    "activities/providers/shippo/answers.py": "what Shippo answers",
}


def names(file: Path) -> Iterator[str]:
    """All that a file names itself: also its parameters, locals and attributes, and what it imports under a name of its
    own."""
    for node in ast.walk(ast.parse(file.read_text())):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name.lower()
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()) | ast.arg(arg=name):
                yield name.lower()
            case ast.alias(asname=str(name)) | ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
                yield name.lower()
            case ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
                yield name.lower()


def test_no_name_of_ours_must_be_learned() -> None:
    files = [file for room in ROOMS for file in (HERE / room).rglob("*.py")]
    found = [(str(file.relative_to(HERE)), name) for file in files for name in names(file) if name in GONE]
    modules = {str(file.relative_to(HERE)) for file in files if file.stem in GONE_MODULES}
    assert found == []
    assert modules == set(VENDORS_WORDS)


def test_a_file_is_read_at_one_sitting() -> None:
    """At most 300 lines: longer ones are split by subject. A migration is one list."""
    lines = {file: len(file.read_text().splitlines()) for room in ROOMS for file in (HERE / room).rglob("*.py")}
    long = {str(file.relative_to(HERE)): n for file, n in lines.items() if n > 300 and "versions" not in file.parts}
    assert long == {}
