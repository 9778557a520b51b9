"""Slows down whoever tries out links. Counts unknown ones by network, in memory; remembers nothing else.

A signed link cannot be found by trying and costs no look-up. A short one is looked up, so that a network which has just
tried many unknown links waits; those who open real ones are never counted, however many share an address.
"""

from flask import Blueprint, Response, request

from surveyapp.domain.networks import network_of
from surveyapp.web import errors, limits

UNKNOWN_A_MINUTE = 30
AT_ONCE = 60
LOOKED_UP = ("respond.short_page", "respond.public_page", "respond.public_answer")


def watched(blueprint: Blueprint) -> Blueprint:
    """The same blueprint, with its unknown links counted."""
    blueprint.before_request(_slow_down)
    blueprint.after_request(_count)
    return blueprint


def _slow_down() -> Response | None:
    if request.endpoint not in LOOKED_UP:
        return None
    seconds = limits.limiter("guesses").wait(_network(), UNKNOWN_A_MINUTE, AT_ONCE, take=False)
    return errors.answer(429, headers={"Retry-After": str(seconds)}) if seconds else None


def _count(response: Response) -> Response:
    if response.status_code == 404:
        limits.limiter("guesses").wait(_network(), UNKNOWN_A_MINUTE, AT_ONCE)
    return response


def _network() -> str:
    return network_of(request.remote_addr or "")
