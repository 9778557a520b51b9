"""The console of a partner's own people: their widgets, their figures, their keys, how to install. Nobody else's."""

import json
from datetime import timedelta
from typing import Any

from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, url_for
from flask_login import current_user
from flask_wtf import FlaskForm
from wtforms import SelectField, StringField
from wtforms.validators import Length

from surveyapp import clock
from surveyapp.domain.questions import Definition, Kind, Question
from surveyapp.extensions import db
from surveyapp.queries import partners as queries
from surveyapp.queries import respond
from surveyapp.queries.console.journeys import step_names
from surveyapp.queries.partners import PartnerFacts
from surveyapp.services import partners
from surveyapp.web.admin import shell
from surveyapp.web.partner.figures import usage, widgets
from surveyapp.web.partner.health import findings, refusals
from surveyapp.web.widget.payload import survey

blueprint = Blueprint("partner", __name__)
DAYS = 14


class LookForm(FlaskForm):
    form = SelectField("Form", choices=list(partners.FORMS))
    mode = SelectField("Light or dark", choices=list(partners.MODES))
    colour = StringField("Colour", [Length(max=7)])


@blueprint.get("/")
def index() -> str:
    """Their widgets, and what they brought in, by whole weeks."""
    partner = own()
    signs = queries.signs(db.session, partner.id, clock.now().date() - timedelta(days=DAYS))
    return render_template(
        "partner/index.html",
        partner=partner,
        widgets=widgets(db.session, partner, shell.today()),
        names=step_names(db.session()),
        usage=usage(db.session, partner, clock.now()),
        last=max((s.last_at for s in signs if s.what == "asked"), default=None),
    )


@blueprint.get("/install")
def install() -> str:
    """Snippets with the partner's own key, to copy."""
    partner = own()
    steps = [s for s in queries.web_steps(db.session) if partner.may_ask_at(s)]
    journey, _, step = (steps[0] if steps else "journey.step").partition(".")
    return render_template(
        "partner/install.html",
        partner=partner,
        base=current_app.config["BASE_URL"],
        steps=steps,
        journey=journey,
        step=step,
        slug=queries.public_slug(db.session),
    )


@blueprint.get("/health")
def health() -> str:
    """What we saw of their pages, and why nothing was shown where nothing was."""
    partner = own()
    signs = queries.signs(db.session, partner.id, clock.now().date() - timedelta(days=DAYS))
    return render_template(
        "partner/health.html",
        partner=partner,
        found=findings(partner, signs, clock.now()),
        refused=refusals(partner, signs),
    )


@blueprint.route("/settings", methods=["GET", "POST"])
def settings() -> Any:
    """The look, and both keys."""
    partner = own()
    look = partner.settings
    form = LookForm(
        data={"form": look.get("form", "popover"), "mode": look.get("mode", "auto"), "colour": look.get("colour", "")}
    )
    refusal = None
    if request.method == "POST" and form.validate():
        try:
            partners.change_look(
                partner.key, {"form": form.form.data, "mode": form.mode.data, "colour": form.colour.data}
            )
        except partners.SettingRefused as reason:
            refusal = str(reason)
        else:
            flash("Saved. Pages show it from now on.")
            return redirect(url_for("partner.settings"), 303)
    page = render_template("partner/settings.html", partner=partner, form=form, refusal=refusal, now=clock.now())
    return (page, 422) if request.method == "POST" else page


@blueprint.post("/keys/<any('publishable', 'secret', 'end-former'):which>")
def rotate(which: str) -> Any:
    """A new key beside the old one, which counts for another week; or the end of the old one."""
    partner = own()
    if which == "end-former":
        partners.end_former_keys(partner.key)
        flash("The keys before count no more.")
        return redirect(url_for("partner.settings"), 303)
    made = partners.rotate_publishable(partner.key) if which == "publishable" else partners.rotate_secret(partner.key)
    return render_template("partner/once.html", which=which, made=made)


@blueprint.get("/preview")
def preview() -> str:
    """A sample page with their widget on it. It asks nobody and stores nothing: its calls are answered on the spot."""
    partner = own()
    brand = respond.brand_facts(db.session)
    sample = Definition("nps", {}, (Question("comment", Kind.COMMENT),))
    shown = survey(sample, brand, request.args.get("lang"), partner.settings, None)
    if request.args.get("form") in partners.FORMS:
        shown["look"]["form"] = request.args["form"]
    return render_template("partner/preview.html", partner=partner, survey=json.dumps(shown), languages=brand.offered)


def own() -> PartnerFacts:
    """The partner of the person who is signed in; there is no way to name another."""
    found = queries.by_id(db.session, current_user.partner_id, clock.now()) if current_user.partner_id else None
    if found is None:
        abort(404)
    return found
