"""How long a policy leaves a person alone after any ask: what may be promised on a page. Decides nothing."""

from datetime import timedelta

from surveyapp.domain.policy import EVERYONE, Policy

TIERS = (1, 2, 3)


def rest_after_an_ask(policy: Policy) -> timedelta | None:
    """The shortest rest that every ask of every tier must keep after any other, or None when nothing guarantees one.

    Only rules that cover everyone and count every ask promise something; an exemption from a rule takes its promise.
    """
    lifted = {rule for exemption in policy.exemptions for rule in exemption.rules}
    rests = [
        cap.per
        for cap in policy.caps
        if cap.most == 1 and cap.per and not cap.journey and cap.scope == EVERYONE and cap.clock == "shared"
        and "cap" not in lifted
    ]  # fmt: skip
    shared = [gap for gap in policy.gaps if gap.scope == EVERYONE and gap.clock == "shared"]
    if "gap" not in lifted:
        by_tier = [max((gap.tiers.get(tier, timedelta(0)) for gap in shared), default=timedelta(0)) for tier in TIERS]
        rests.append(min(by_tier))
    longest = max(rests, default=timedelta(0))
    return longest if longest >= timedelta(days=1) else None
