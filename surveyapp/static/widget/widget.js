/*
 * The loader of the survey widget: one element, one object, no decision.
 *
 *   <script src="https://…/widget.js" data-key="pk_…" async></script>
 *   <survey-widget journey="flight" step="check_in" customer="c-1" signature="…"></survey-widget>
 *   window.surveyapp.ask({journey, step, customer, signature, properties}) → Promise<{shown, reason?}>
 *
 * It asks our server whether there is a question for this visitor, and fetches panel.js only when there is one.
 * No cookie, no identifier: at most one date in localStorage, written once something was shown.
 */
(() => {
  const script = document.currentScript;
  if (window.surveyapp || !script) return;
  const base = new URL(script.src).origin;
  const heard = {};
  let who = {}, open, asking;

  const tell = (what, detail) => {
    for (const hear of heard[what] || []) try { hear(detail); } catch (e) { setTimeout(() => { throw e; }); }
    return detail;
  };

  // The server answers, or nobody does: blocked, offline and refused look the same to the page.
  const call = (what, body) => fetch(base + "/widget/v1/" + what, {
    method: "POST", credentials: "omit", keepalive: true,
    headers: {"content-type": "application/json"}, body: JSON.stringify(body),
  }).then((r) => r.status == 204 ? {} : r.ok ? r.json() : {reason: "refused"}, () => ({reason: "unreachable"}));

  // A visitor whom nobody vouches for was asked today already: the one thing this browser remembers.
  const today = () => new Date().toISOString().slice(0, 10);
  const store = (day) => {
    try { return day ? localStorage.setItem("surveyapp", day) : localStorage.getItem("surveyapp"); } catch (e) { /* blocked */ }
  };

  // Whose frames we stand in, if in any: a page of somebody else's must not borrow this one.
  const within = self == top ? undefined : [...location.ancestorOrigins || [document.referrer]];

  // Never before the page stands, unseen, or while somebody is writing: wait until the field is left.
  const writing = () => /^(input|textarea|select)$/i.test(document.activeElement?.tagName) || document.activeElement?.isContentEditable;
  const idle = () => new Promise((go) => {
    const look = () => writing() || document.hidden || document.readyState == "loading" ? setTimeout(look, 200) : go();
    look();
  });

  const ask = async (options = {}, host) => {
    const o = {...who, ...options};
    const no = (reason) => tell("refused", {shown: false, reason});
    if (open || asking) return no("open");
    if (!o.signature && store() == today()) return no("already_asked");
    asking = 1;
    try {
      await idle();
      const {form, ...sent} = o;
      const again = () => call("offer", {key: script.dataset.key, language: document.documentElement.lang, within, ...sent});
      const offer = await again();
      if (!offer.show) return no(offer.reason);
      const {show} = await import(base + "/widget/panel.js?v=PANEL_MARK");
      const shown = await new Promise((done) => {
        open = show({offer, again, call, host, form, tell, done, ended: () => { open = 0; }});
      });
      if (shown) store(today());
      return shown ? tell("shown", {shown: true}) : no("not_seen");
    } catch (e) {
      return no("blocked");
    } finally {
      asking = 0;
    }
  };

  window.surveyapp = {
    ask,
    identify: (customer, signature) => { who = {customer, signature}; },
    on: (what, hear) => { (heard[what] ||= []).push(hear); return () => { heard[what] = heard[what].filter((h) => h != hear); }; },
    close: () => open && open.close(),
  };

  // An element asks when it enters the page, and again when a single-page app gives it another step.
  customElements.define("survey-widget", class extends HTMLElement {
    static observedAttributes = ["journey", "step", "instance"];
    connectedCallback() { this.attributeChangedCallback(); }
    attributeChangedCallback() {
      clearTimeout(this.soon);
      this.soon = setTimeout(() => {
        const o = {};
        for (const {name, value} of this.attributes) if (/^(journey|step|customer|signature|instance|form|theme)$/.test(name)) o[name] = value;
        try { o.properties = JSON.parse(this.getAttribute("properties") || "{}"); } catch (e) { /* none then */ }
        if (this.isConnected && o.journey && o.step) ask(o, this);
      });
    }
    disconnectedCallback() { if (open && open.host == this) open.close(); }
  });
  dispatchEvent(new Event("surveyapp"));
})();
