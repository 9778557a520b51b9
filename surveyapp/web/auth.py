"""Signing in and out, choosing a password from a one-time link, the second factor. Who may enter what is `surfaces`."""

from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, session
from flask_login import current_user, login_user
from flask_wtf import FlaskForm
from itsdangerous import BadSignature, URLSafeTimedSerializer
from werkzeug.wrappers import Response
from wtforms import EmailField, HiddenField, PasswordField, StringField
from wtforms.validators import EqualTo, InputRequired, Length

from surveyapp import clock
from surveyapp.domain.vocabulary import Role
from surveyapp.extensions import db
from surveyapp.queries import accounts as queries
from surveyapp.services import accounts, audit, digest, sign_in
from surveyapp.services.keys import hashed
from surveyapp.web import security
from surveyapp.web.errors import answer

blueprint = Blueprint("auth", __name__)

CODE_WITHIN = 300
BROWSER_KNOWN = 180 * 24 * 3600
HOME = "/admin/"


class SignInForm(FlaskForm):
    email = EmailField("E-mail", [InputRequired("Enter your e-mail address."), Length(max=254)])
    password = PasswordField("Password", [InputRequired("Enter your password."), Length(max=256)])
    next = HiddenField()


class PasswordForm(FlaskForm):
    password = PasswordField("New password", [InputRequired("Choose a password.")])
    again = PasswordField("The same again", [EqualTo("password", "The two passwords differ.")])


class CodeForm(FlaskForm):
    code = StringField("Six digits", [InputRequired("Enter the six digits of your app."), Length(max=12)])


@blueprint.get("/")
def root() -> Response:
    return redirect(HOME, 303)


@blueprint.route("/sign-in", methods=["GET", "POST"], endpoint="sign_in")
def sign_in_page() -> Any:
    if current_user.is_authenticated:
        return redirect(security.local_path(request.values.get("next")) or _home(current_user.role), 303)
    form = SignInForm()
    if request.method == "GET":
        form.next.data = security.local_path(request.args.get("next"))
        return _sign_in_form(form)
    if not form.validate_on_submit():
        return _sign_in_form(form, 422)
    email = form.email.data or ""
    audit.actor.set("sign-in")
    mark = sign_in.known_browser(db.session, email, _browser_mark())
    db.session.rollback()
    try:
        user_id = sign_in.check_password(email, form.password.data or "", request.remote_addr or "", mark)
    except sign_in.SignInRefused as reason:
        return _sign_in_form(form, 403, str(reason))
    except sign_in.TooManyTries as reason:
        return _sign_in_form(form, 429, str(reason))
    wanted = security.local_path(form.next.data)
    if sign_in.has_factor(db.session, user_id):
        session.clear()
        session["second"] = {"user": user_id, "at": int(clock.now().timestamp()), "next": wanted}
        return redirect("/second-factor", 303)
    return _let_in(user_id, wanted)


@blueprint.route("/second-factor", methods=["GET", "POST"])
def second_factor() -> Any:
    pending = session.get("second")
    if pending is None or clock.now().timestamp() - pending["at"] > CODE_WITHIN:
        session.pop("second", None)
        return redirect("/sign-in", 303)
    form = CodeForm()
    if request.method == "GET":
        return render_template("auth/code.html", form=form)
    if not form.validate_on_submit():
        return render_template("auth/code.html", form=form), 422
    audit.actor.set("sign-in")
    try:
        sign_in.check_code(pending["user"], form.code.data or "")
    except sign_in.CodeRefused as reason:
        return render_template("auth/code.html", form=form, refusal=str(reason)), 403
    except sign_in.TooManyTries as reason:
        return render_template("auth/code.html", form=form, refusal=str(reason)), 429
    return _let_in(pending["user"], pending["next"])


@blueprint.post("/sign-out")
def sign_out() -> Response:
    if current_user.is_authenticated:
        audit.actor.set(current_user.email)
        sign_in.end_session(current_user.token)
    session.clear()
    flash("You have signed out.")
    return redirect("/sign-in", 303)


@blueprint.route("/set-password/<token>", methods=["GET", "POST"])
def set_password(token: str) -> Any:
    form = PasswordForm()
    try:
        user = accounts.link_owner(db.session, token)
        email = user.email
        refusal, status = None, 200
        if request.method == "POST":
            if form.validate_on_submit():
                audit.actor.set(email)
                accounts.set_password(token, form.password.data or "")
                session.clear()
                flash("Your password is set. Sign in with it.")
                return redirect("/sign-in", 303)
            status = 422
    except accounts.LinkClosed:
        return answer(410, "This link was used or is no longer open. Ask an administrator for a new one.")
    except accounts.PasswordRefused as reason:
        refusal, status = str(reason), 422
    return render_template("auth/set_password.html", form=form, email=email, refusal=refusal), status


@blueprint.get("/account")
def account() -> Any:
    if not current_user.is_authenticated:
        return redirect("/sign-in", 303)
    return render_template(
        "auth/account.html",
        required=security.factor_required(current_user),
        digest=queries.wants_digest(db.session, current_user.id),
    )


@blueprint.post("/account/digest")
def choose_digest() -> Any:
    """The weekly digest, from now on or no more."""
    if not current_user.is_authenticated or current_user.role == Role.PARTNER:
        return redirect("/sign-in", 303)
    audit.actor.set(current_user.email)
    digest.choose(current_user.id, request.form.get("wanted") == "1")
    return redirect("/account", 303)


@blueprint.route("/second-factor/set-up", methods=["GET", "POST"])
def set_up_factor() -> Any:
    if not current_user.is_authenticated:
        return redirect("/sign-in", 303)
    if current_user.second_factor:
        return redirect("/account", 303)
    form = CodeForm()
    secret = session.get("factor") if request.method == "POST" else None
    if secret is None:
        secret = session["factor"] = sign_in.fresh_factor()
        return _factor_page(form, secret, 200 if request.method == "GET" else 422)
    if not form.validate_on_submit():
        return _factor_page(form, secret, 422)
    audit.actor.set(current_user.email)
    user_id = current_user.id
    try:
        sign_in.enrol(user_id, secret, form.code.data or "")
    except sign_in.CodeRefused as reason:
        return _factor_page(form, secret, 422, str(reason))
    except sign_in.FactorExists:
        return redirect("/account", 303)
    response = _let_in(user_id, "/account")
    flash("Your second factor is set up. Every sign-in asks for a code from now on.")
    return response


def _let_in(user_id: int, wanted: str | None) -> Response:
    """A session of its own for this browser: nothing of the one before it survives."""
    session.clear()
    try:
        token = sign_in.open_session(user_id)
    except sign_in.SignInRefused as reason:
        return _sign_in_form(SignInForm(), 403, str(reason))
    facts = queries.signed_in_user(db.session, hashed(token), clock.now())
    db.session.rollback()
    login_user(security.SignedIn(facts, token))
    response = redirect(wanted or _home(facts.role), 303)
    name, https = _browser_cookie()
    mark = _serializer().dumps(sign_in.browser_mark(user_id))
    response.set_cookie(name, mark, max_age=BROWSER_KNOWN, secure=https, httponly=True, samesite="Lax")
    return response


def _home(role: str) -> str:
    return "/partner/" if role == Role.PARTNER else HOME


def _sign_in_form(form: SignInForm, status: int = 200, refusal: str | None = None) -> Response:
    page = render_template("auth/sign_in.html", form=form, refusal=refusal)
    headers = {"Retry-After": str(sign_in.TooManyTries.retry_after)} if status == 429 else {}
    return current_app.response_class(page, status, headers)


def _factor_page(form: CodeForm, secret: str, status: int, refusal: str | None = None) -> Any:
    address = sign_in.factor_address(secret, current_user.email)
    grouped = " ".join(secret[i : i + 4] for i in range(0, len(secret), 4))
    return (
        render_template("auth/set_up_factor.html", form=form, secret=grouped, address=address, refusal=refusal),
        status,
    )


def _browser_cookie() -> tuple[str, bool]:
    https = current_app.config["BASE_URL"].startswith("https://")
    return ("__Host-known" if https else "known"), https


def _browser_mark() -> str:
    """The mark this browser was given at an earlier sign-in, or nothing."""
    try:
        mark: str = _serializer().loads(request.cookies.get(_browser_cookie()[0], ""), max_age=BROWSER_KNOWN)
    except BadSignature:
        return ""
    return mark if isinstance(mark, str) else ""


def _serializer() -> URLSafeTimedSerializer:
    config = current_app.config
    return URLSafeTimedSerializer([*config["SECRET_KEY_FALLBACKS"], config["SECRET_KEY"]], salt="known-browser")
