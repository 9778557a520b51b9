"""Access: who may sign in, which keys and partners there are, and who did what. Only administrators come here."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import EmailField, SelectField, StringField
from wtforms.validators import InputRequired, Length

from surveyapp import clock
from surveyapp.domain.vocabulary import KeyRole, Role
from surveyapp.extensions import db
from surveyapp.queries import accounts as queries
from surveyapp.queries import audit as audit_queries
from surveyapp.services import accounts, keys, partners, sign_in
from surveyapp.web.admin import shell

blueprint = Blueprint("accounts", __name__)
shell.install(blueprint)

PAGE = 50
REFUSALS = (
    accounts.EmailTaken,
    accounts.LastAdmin,
    accounts.UserRefused,
    keys.KeyRefused,
    keys.PartnerExists,
    keys.PartnerUnknown,
)
LIVES = (("", "until revoked"), ("30", "30 days"), ("90", "90 days"), ("365", "one year"))
SUBJECTS = {
    "": "everything",
    "user": "people",
    "key": "keys",
    "partner": "partners",
    "programme": "the programme",
    "policy": "the policy",
    "customer": "customers",
    "response": "responses",
    "webhook": "webhooks",
}


class UserForm(FlaskForm):
    email = EmailField("E-mail", [InputRequired("Enter an e-mail address."), Length(max=254)])
    role = SelectField("Role", choices=[r.value for r in Role])
    partner = StringField("Partner", [Length(max=80)])


class KeyForm(FlaskForm):
    name = StringField("Name", [InputRequired("Say what the key is for."), Length(max=200)])
    role = SelectField("Role", choices=[r.value for r in KeyRole])
    partner = StringField("Partner", [Length(max=80)])
    days = SelectField("Valid", choices=[days for days, _ in LIVES])


class PartnerForm(FlaskForm):
    key = StringField("Key", [InputRequired("Enter a key."), Length(max=80)])
    name = StringField("Name", [InputRequired("Enter a name."), Length(max=200)])
    origins = StringField("Origins", [InputRequired("Enter at least one origin."), Length(max=4000)])


class RoleForm(FlaskForm):
    role = SelectField("Role", choices=[r.value for r in Role])
    partner = StringField("Partner", [Length(max=80)])


@blueprint.get("/")
def index() -> str:
    return _page()


@blueprint.post("/users")
def create_user() -> Any:
    form = UserForm(prefix="user-")
    token = _try(form, lambda: accounts.create_user(form.email.data, form.role.data, form.partner.data or None))
    if token is None:
        return _page(user_form=form), 422
    return _link_page(form.email.data, token)


@blueprint.post("/users/<int:number>/link")
def password_link(number: int) -> Any:
    user = _user(number)
    return _link_page(user.email, accounts.new_password_link(number))


@blueprint.route("/users/<int:number>/role", methods=["GET", "POST"])
def change_role(number: int) -> Any:
    user = _user(number)
    form = RoleForm(role=user.role, partner=user.partner)
    if request.method == "GET":
        return render_template("admin/access/role.html", user=user, form=form, roles=_same(Role))

    def change() -> bool:
        accounts.change_role(number, form.role.data, form.partner.data or None)
        return True

    if _try(form, change) is None:
        return render_template("admin/access/role.html", user=user, form=form, roles=_same(Role)), 422
    flash(f"{user.email} is {form.role.data} from the next sign-in on.")
    return _back()


@blueprint.route("/users/<int:number>/<any('disable', 'enable', 'drop-factor'):act>", methods=["GET", "POST"])
def user_act(number: int, act: str) -> Any:
    user = _user(number)
    title, sentence, done, change = {
        "disable": (
            f"Disable {user.email}?",
            "They are signed out at once on every device and cannot sign in. Nothing they made is lost.",
            f"{user.email} is disabled.",
            accounts.disable_user,
        ),
        "enable": (
            f"Enable {user.email}?",
            "They can sign in again with the password they had.",
            f"{user.email} is enabled.",
            accounts.enable_user,
        ),
        "drop-factor": (
            f"Drop the second factor of {user.email}?",
            "They sign in with their password alone until they set up another. Make sure it is they who ask.",
            f"The second factor of {user.email} is dropped.",
            sign_in.drop_factor,
        ),
    }[act]
    return _confirm(title, sentence, done, lambda: change(number))


@blueprint.post("/keys")
def create_key() -> Any:
    form = KeyForm(prefix="key-")

    def create() -> str:
        expires = clock.now() + timedelta(days=int(form.days.data)) if form.days.data else None
        return keys.create_key(form.name.data, form.role.data, form.partner.data or None, expires)

    secret = _try(form, create)
    if secret is None:
        return _page(key_form=form), 422
    return _once(f"The key “{form.name.data}”", [("Key", secret)], "Only its fingerprint is kept.")


@blueprint.route("/keys/<int:number>/revoke", methods=["GET", "POST"])
def revoke_key(number: int) -> Any:
    key = next((k for k in queries.keys(db.session) if k.id == number and k.revoked_at is None), None)
    if key is None:
        abort(404)
    return _confirm(
        f"Revoke the key “{key.name}”?",
        f"Whatever calls with {key.prefix}… is refused from the next request on. A revoked key cannot come back.",
        f"The key “{key.name}” is revoked.",
        lambda: keys.revoke_key(number),
    )


@blueprint.post("/partners")
def create_partner() -> Any:
    form = PartnerForm(prefix="partner-")
    made = _try(form, lambda: keys.create_partner(form.key.data, form.name.data, form.origins.data.split()))
    if made is None:
        return _page(partner_form=form), 422
    secrets = [("Publishable key, for the page", made.publishable), ("Secret, for their server", made.secret)]
    return _once(f"The partner “{form.name.data}”", secrets, "The publishable key stays readable; the secret does not.")


@blueprint.route("/partners/<key>/rotate", methods=["GET", "POST"])
def rotate_partner(key: str) -> Any:
    if key not in {p.key for p in queries.partners(db.session)}:
        abort(404)
    if request.method == "POST":
        secret = partners.rotate_secret(key)
        return _once(
            f"The new secret of {key}", [("Secret, for their server", secret)], "The old one counts for a week."
        )
    sentence = "Signatures by the old one count for seven more days: their server has to have the new one by then."
    return render_template("admin/access/confirm.html", title=f"Make a new secret for {key}?", sentence=sentence)


@blueprint.get("/audit")
def audit_log() -> str:
    before = request.args.get("before", type=int)
    subject = request.args.get("subject", "")
    rows = audit_queries.entries(
        db.session, before=before, subject=subject if subject in SUBJECTS else None, limit=PAGE + 1
    )
    older = rows[PAGE - 1].id if len(rows) > PAGE else None
    return render_template(
        "admin/access/audit.html",
        rows=rows[:PAGE],
        older=older,
        subject=subject,
        subjects=SUBJECTS.items(),
        first=before is None,
    )


def _page(**forms: FlaskForm) -> str:
    shown: dict[str, FlaskForm] = {
        "user_form": UserForm(None, prefix="user-"),
        "key_form": KeyForm(None, prefix="key-"),
        "partner_form": PartnerForm(None, prefix="partner-"),
    }
    return render_template(
        "admin/access/index.html",
        users=queries.users(db.session),
        keys=queries.keys(db.session),
        partners=queries.partners(db.session),
        now=clock.now(),
        roles=_same(Role),
        key_roles=_same(KeyRole),
        lives=LIVES,
        **(shown | forms),
    )


def _try(form: FlaskForm, act: Callable[[], Any]) -> Any:
    """What `act` gives, or None with the reasons on the form."""
    if not form.validate_on_submit():
        return None
    try:
        return act()
    except REFUSALS as reason:
        form.form_errors.append(str(reason))
        return None


def _confirm(title: str, sentence: str, done: str, act: Callable[[], None]) -> Any:
    if request.method == "GET":
        return render_template("admin/access/confirm.html", title=title, sentence=sentence)
    try:
        act()
    except REFUSALS as reason:
        return render_template("admin/access/confirm.html", title=title, sentence=sentence, refusal=str(reason)), 409
    flash(done)
    return _back()


def _once(title: str, values: list[tuple[str, str]], note: str) -> str:
    return render_template("admin/access/once.html", title=title, values=values, note=note)


def _link_page(email: str, token: str) -> str:
    address = f"{current_app.config['BASE_URL']}/set-password/{token}"
    return _once(
        f"A link for {email}", [("Link, good for one use within 24 hours", address)], "Send it to them yourself."
    )


def _user(number: int) -> queries.UserFacts:
    user = next((u for u in queries.users(db.session) if u.id == number), None)
    if user is None:
        abort(404)
    return user


def _same(words: type[Role] | type[KeyRole]) -> list[tuple[str, str]]:
    return [(word.value, word.value) for word in words]


def _back() -> Response:
    return redirect(url_for("accounts.index"), 303)
