"""Reads the templates of messages, each once, with its CSS inlined when it is read. Knows no recipient."""

import re
from collections.abc import Callable
from functools import cache

from css_inline import CSSInliner
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, select_autoescape

from config import ROOT

FOLDER = ROOT / "templates" / "messages"
# An HTML parser moves loose text out of tables but leaves comments in place: so the statements stand in comments.
_KEPT = ' data-css-inline="keep"'
_STATEMENT = re.compile(r"<!--(\{%.*?%\})-->")
_VARIABLE = re.compile(r"var\(--([a-z-]+)\)")


class InliningLoader(FileSystemLoader):
    """Hands out an HTML template with every rule of its first style block written into its elements.

    In the CSS, `var(--start)` becomes the template's value `start`, so that colours and directions stay values.
    """

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        source, path, uptodate = super().get_source(environment, template)
        if not template.endswith(".html"):
            return source, path, uptodate
        inlined = CSSInliner(load_remote_stylesheets=False).inline(source).replace(_KEPT, "")
        inlined = _VARIABLE.sub(lambda found: "{{ " + found[1].replace("-", "_") + " }}", inlined)
        inlined = _STATEMENT.sub(r"\1", inlined)
        return inlined, path, uptodate


@cache
def _environment() -> Environment:
    return Environment(
        loader=InliningLoader(FOLDER),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


def template(name: str) -> Template:
    """A message template such as `email/ask.html`. HTML escapes every value; rendering without one of them raises."""
    return _environment().get_template(name)
