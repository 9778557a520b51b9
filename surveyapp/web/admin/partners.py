"""One partner as an administrator sees it: what was agreed, its origins, its pages' signs of life."""

from datetime import timedelta
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from wtforms import FloatField, SelectField, StringField
from wtforms.validators import Length, NumberRange, Optional

from surveyapp import clock
from surveyapp.extensions import db
from surveyapp.queries import partners as queries
from surveyapp.services import partners
from surveyapp.services.keys import KeyRefused
from surveyapp.web.partner.health import findings, refusals

blueprint = Blueprint("partners", __name__)
DAYS = 14
PERCENT = [Optional(), NumberRange(0, 100, "Write a share from 0 to 100 percent.")]


class AgreementForm(FlaskForm):
    origins = StringField("Origins", [Length(max=4000)])
    steps = StringField("Steps", [Length(max=4000)])
    sample = FloatField("Visitors, in percent", PERCENT)
    share = FloatField("Share of all asks, in percent", PERCENT)
    form = SelectField("Form", choices=list(partners.FORMS))
    mode = SelectField("Light or dark", choices=list(partners.MODES))
    colour = StringField("Colour", [Length(max=7)])


@blueprint.route("/partners/<key>", methods=["GET", "POST"])
def detail(key: str) -> Any:
    partner = queries.by_key(db.session, key, clock.now())
    if partner is None:
        abort(404)
    look = partner.settings
    form = AgreementForm(
        data={
            "origins": " ".join(partner.origins),
            "steps": " ".join(look.get("steps", ())),
            "sample": partner.sample * 100,
            "share": partner.share * 100,
            "form": look.get("form", "popover"),
            "mode": look.get("mode", "auto"),
            "colour": look.get("colour", ""),
        }
    )
    refusal = None
    if request.method == "POST":
        refusal = _change(key, form)
        if refusal is None:
            flash("Saved. It counts from the next visitor on.")
            return redirect(url_for("partners.detail", key=key), 303)
    signs = queries.signs(db.session, partner.id, clock.now().date() - timedelta(days=DAYS))
    page = render_template(
        "admin/access/partner.html",
        partner=partner,
        form=form,
        refusal=refusal,
        steps=queries.web_steps(db.session),
        found=findings(partner, signs, clock.now()),
        refused=refusals(partner, signs),
    )
    return (page, 422) if refusal else page


def _change(key: str, form: AgreementForm) -> str | None:
    """Keep what was agreed; what does not fit, as a sentence."""
    if not form.validate():
        return next((str(errors[0]) for errors in form.errors.values()), "Something does not fit.")
    given = {
        "steps": form.steps.data.split(),
        "sample": (100 if form.sample.data is None else form.sample.data) / 100,
        "share": (100 if form.share.data is None else form.share.data) / 100,
        "form": form.form.data,
        "mode": form.mode.data,
        "colour": form.colour.data,
    }
    try:
        partners.change_origins(key, form.origins.data.split())
        partners.change_settings(key, given)
    except (partners.SettingRefused, KeyRefused) as reason:
        return str(reason)
    return None
