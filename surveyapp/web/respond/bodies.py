"""What a form that is too large begins with. Our pages put the score first and the words last."""

from urllib.parse import parse_qsl

from flask import request
from werkzeug.datastructures import ImmutableMultiDict

from surveyapp.web.respond.shell import BODY_LIMIT

DRAIN_LIMIT = 4 * 1024 * 1024
FIELDS_LIMIT = 200


def beginning() -> ImmutableMultiDict[str, str]:
    """The fields within the first 64 KiB of a form whose length was told, more than any comment that is kept; nothing
    of other kinds of bodies.

    The rest, up to 4 MiB, is read and dropped: a browser that is cut off while sending never sees the answer.
    """
    length = request.content_length or 0
    if request.mimetype != "application/x-www-form-urlencoded" or not length:
        return ImmutableMultiDict()
    stream = request.environ["wsgi.input"]
    head = stream.read(min(length, BODY_LIMIT))
    left = min(length, DRAIN_LIMIT) - len(head)
    while left > 0 and (piece := stream.read(min(left, BODY_LIMIT))):
        left -= len(piece)
    try:
        fields = parse_qsl(head.decode("ascii", "replace"), True, errors="replace", max_num_fields=FIELDS_LIMIT)
    except ValueError:
        return ImmutableMultiDict()
    return ImmutableMultiDict(fields)
