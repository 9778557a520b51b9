"""Where a recipient may be: zones and country, from what is known of them. Reads nothing from the database."""

from functools import lru_cache
from importlib import resources

import phonenumbers
from phonenumbers.timezone import time_zones_for_number


@lru_cache(maxsize=20_000)
def recipient_zones(own: str | None, phone: str | None, brand: str) -> tuple[tuple[str, ...], str]:
    """The zones the recipient may be in, and where that is known from: customer, phone number or brand.

    A number whose country spans several zones counts in all of them, so that it is open hours in each.
    """
    if own:
        return (own,), "customer"
    if phone:
        zones = tuple(z for z in time_zones_for_number(phonenumbers.parse(phone)) if z != "Etc/Unknown")
        if zones:
            return tuple(sorted(zones)), "phone"
    return (brand,), "brand"


@lru_cache(maxsize=20_000)
def recipient_country(own: str | None, phone: str | None) -> str | None:
    """The recipient's country as a two-letter code: of the phone number, else of their own zone; None if unknown."""
    if phone:
        region = phonenumbers.region_code_for_number(phonenumbers.parse(phone))
        if region and region.isalpha():
            return str(region)
    return _countries().get(own) if own else None


@lru_cache(maxsize=1)
def _countries() -> dict[str, str]:
    """The country of each zone that lies in one, by the table that comes with the zones."""
    table = resources.files("tzdata").joinpath("zoneinfo", "zone.tab").read_text(encoding="utf-8")
    rows = [line.split("\t") for line in table.splitlines() if line and not line.startswith("#")]
    return {row[2]: row[0] for row in rows}
