"""The script that keeps the catalogs, as the tests use it."""

from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path

_PATH = Path(__file__).parent.parent / "scripts" / "messages"
_LOADER = SourceFileLoader("messages", str(_PATH))
messages = module_from_spec(spec_from_loader("messages", _LOADER))
_LOADER.exec_module(messages)
