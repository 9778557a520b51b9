"""How much of an address may be shown to whoever holds a link. Shows; never stores."""


def masked_email(address: str) -> str:
    """The first letter and the domain: a•••@example.org."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}•••@{domain}"


def masked_phone(number: str) -> str:
    """The start and the last two digits of an E.164 number: +33 ••• 78."""
    return f"{number[:3]} ••• {number[-2:]}"
