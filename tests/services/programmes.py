"""The programme of the contract, and small changes to it, for the tests of programme files."""

PROGRAMME = """\
programme: 1
brand: {name: Oddjob Airways, language: en, languages: [en, fr], timezone: Europe/Paris}
reporting_attributes: [class, customer_type]
dimensions:
  - {key: ease, promise: Travelling is simple, attributes: [{key: quick_check_in, name: {en: Quick check-in}}]}
journeys:
  - key: flight
    name: {en: Flight, fr: Vol}
    instance: {en: trip, fr: voyage}
    steps:
      - {key: check_in, name: {en: Check-in, fr: Enregistrement}, phase: before, event: Checked In,
         attributes: [quick_check_in], moment_of_truth: false, tier: 2}
      - {key: baggage, name: {en: Baggage}, event: Baggage Delivered, moment_of_truth: true}
surveys:
  - key: check_in_csat
    metric: csat5
    about: {en: check-in, fr: "l'enregistrement"}
    follow_up: comment
  - {key: relational_nps, metric: nps, group: relationship}
triggers:
  - key: after_check_in
    step: flight.check_in
    survey: check_in_csat
    channels: [email, sms]
    delay: 0s
    expires: 7d
    sample: 1.0
    where: {class: Business}
    reminder: {after: 3d}
    blocked: drop
  - key: relationship
    every: 180d
    survey: relational_nps
    channels: [email]
    reserve: 14d
policy:
  gap: {1: 7d, 2: 30d, 3: 30d}
  caps: [{max: 2, per: 30d}, {max: 1, per: journey}]
  quiet_hours: {from: "20:00", to: "08:00"}
  holding: 0s
  reminders_count: true
  rules: [{kind: own_gap, survey: relational_nps, gap: 90d}]
"""


def changed(*changes: tuple[str, str]) -> str:
    """The programme with each first text replaced by the second, once; a text that is not there is a mistake."""
    text = PROGRAMME
    for old, new in changes:
        assert text.count(old) >= 1, old
        text = text.replace(old, new, 1)
    return text
