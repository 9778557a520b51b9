/*
 * The panel: one question in a shadow root of its own. Fetched only when there is something to show.
 *
 * It is not modal, takes no focus, moves nothing on the page and closes only when asked to. Its styles are a
 * constructed sheet, so that a strict Content-Security-Policy needs no exception for them. Its colours come with the
 * survey, where they are computed so that they can be read.
 */
const CSS = `
:host{all:initial;display:block;font:400 16px/1.5 var(--survey-font,system-ui,sans-serif)}
:host([hidden]),[hidden]{display:none!important}
*{box-sizing:border-box;margin:0;padding:0;border:0 solid var(--rule);font:inherit;color:inherit;background:none}
.w{container-type:inline-size;padding:16px 20px 12px;border-radius:16px;background:var(--card);color:var(--ink)}
.pop{position:fixed;z-index:999999;inset-block-end:20px;inset-inline-end:20px;width:424px;max-height:calc(100dvh - 40px);overflow:auto;box-shadow:0 0 0 1px var(--line),0 20px 56px -12px rgb(0 0 0/.35)}
.side{inset-block-end:25vh;inset-inline-end:60px}
.card{max-width:560px;box-shadow:inset 0 0 0 1px var(--line)}
.top,.ends,.foot{display:flex;align-items:center;justify-content:space-between;gap:12px;color:var(--soft);font-size:13.5px;line-height:1.35}
.top{margin:-6px 0 2px;margin-inline-end:-12px}
button{cursor:pointer;touch-action:manipulation}
.x{width:44px;height:44px;border-radius:50%;font-size:22px}
.q1{font-size:18px;line-height:1.35;text-wrap:balance}
b,.q1,.q2,.bar,.acts,.tab{font-weight:600}
.bar,.rows,.words,.chips label,.acts button{border:1px solid var(--edge);border-radius:10px}
.bar,.rows{margin-top:16px}
.bar{display:flex}
.bar button{flex:1 1 0;min-width:0;height:48px;border-inline-start-width:1px;font-variant-numeric:tabular-nums}
.bar :first-child{border-color:transparent;border-start-start-radius:9px;border-end-start-radius:9px}
.bar :last-child{border-start-end-radius:9px;border-end-end-radius:9px}
.rows button{display:block;width:100%;min-height:44px;padding:6px 14px;border-top-width:1px;text-align:start}
.rows :first-child{border-top:0;border-radius:9px 9px 0 0}
.rows :last-child{border-radius:0 0 9px 9px}
button:hover,:has(>:checked){background:var(--tint)}
[aria-current],.go,.go:hover{background:var(--accent)!important;border-color:var(--accent)!important;color:var(--on)}
.ends,.foot{margin-top:8px}
@container (max-width:330px){.bar,.ends{margin-inline:-12px}}
.foot a{padding:7px 0}
.kept{font-size:15px;color:var(--soft)}
b{color:var(--ink)}
.q2{display:block;padding-top:16px}
.words{display:block;width:100%;margin-top:8px;padding:10px 12px;font-weight:400}
textarea{min-height:76px;resize:vertical}
.chips{display:flex;flex-wrap:wrap;gap:8px;margin-top:8px}
.chips label{display:flex;align-items:center;gap:8px;min-height:44px;padding:4px 16px 4px 12px;border-radius:22px}
input{accent-color:var(--accent)}
.acts{display:grid;grid-template-columns:1fr 1fr;gap:8px;margin-top:12px}
.acts button{min-height:46px}
:focus-visible{outline:3px solid var(--ink);outline-offset:2px;position:relative;z-index:1}
.tab{position:fixed;z-index:999998;inset-block-start:42%;inset-inline-end:0;min-width:44px;padding:18px 10px;border-start-start-radius:12px;border-end-start-radius:12px;font-size:15px}
.tab p{writing-mode:vertical-rl}
.say{position:absolute;clip-path:inset(50%)}
@media (max-width:480px){.pop{inset-inline:8px;width:auto;inset-block-end:calc(8px + env(safe-area-inset-bottom))}}
@media (forced-colors:active){.w{border-width:1px}[aria-current]{forced-color-adjust:none;background:Highlight!important;color:HighlightText}}
@media (prefers-reduced-motion:no-preference){.pop{animation:in .2s}@keyframes in{from{opacity:0;transform:translateY(8px)}}}
`;
// make("button.x", {onclick}, "×"): text is always text, so nothing we are sent can become markup.
const make = (what, attributes, ...inside) => {
  const [tag, name] = what.split("."), made = document.createElement(tag);
  if (name) made.className = name;
  for (const key in attributes) key in made ? made[key] = attributes[key] : made.setAttribute(key, attributes[key]);
  made.append(...inside);
  return made;
};

export const show = ({offer, again, call, host, form, tell, done, ended}) => {
  let {survey: s, ticket} = offer;
  form = form || s.look.form;
  // Inside the text only where nothing would move: a place kept free, or one still below the fold.
  const kept = host && (host.offsetHeight > 40 || host.getBoundingClientRect().top > innerHeight);
  if (form == "inline" && !kept) form = "popover";
  const inline = form == "inline";
  const at = inline ? host : make("survey-widget", {popover: "manual"});
  const root = at.shadowRoot || at.attachShadow({mode: "open"});
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(CSS + s.look.css);
  root.adoptedStyleSheets = [sheet];
  at.hidden = false;

  const live = make("p.say", {ariaLive: "polite"});
  const panel = make("section.w " + (inline ? "card" : form == "tab" ? "pop side" : "pop"), {id: "panel"});
  const born = Date.now();
  let said = {}, drawn, rest, before, over, seen, tab;

  const top = () => inline ? "" : make("div.top", {}, s.title, make("button.x", {ariaLabel: s.words.close, onclick: () => api.close()}, "×"));
  const foot = () => make("div.foot", {}, ...s.links.map(([text, href]) => make("a", {href, target: "_blank", rel: "noopener"}, text)));
  const scale = () => {
    const box = make(s.row ? "div.bar" : "div.rows", {}, ...s.values.map(([value, label, text]) => make("button", {
      ariaLabel: s.row && label ? value + ", " + label : null,
      ariaCurrent: value === said.score || null,
      onclick: () => give(value),
    }, text)));
    return s.row ? [box, make("div.ends", {ariaHidden: true}, make("span", {}, s.values[0][1]), make("span", {}, s.values.at(-1)[1]))] : [box];
  };

  const draw = (...parts) => panel.replaceChildren(top(), ...parts, foot());
  const ask = () => {
    at.lang = s.lang;
    at.dir = panel.dir = s.dir;
    panel.ariaLabel = s.title;
    draw(make("fieldset", {}, make("legend.q1", {}, s.question), ...scale()));
  };

  // A tap draws the second step at once (so that nothing moves later) and says "saved" only when it is.
  const give = async (value) => {
    const old = said.score;
    said.score = value;
    const status = step();
    const stored = await call("answer", {ticket, score: value});
    if (!stored.status) {
      said.score = old;
      return step().textContent = s.words.failed;
    }
    const name = s.row ? value : s.values.find(([v]) => v === value)[1];
    status.replaceChildren(make("b", {}, s.words.saved.replace("{n}", name)), " ", s.words.more);
    tell("answered", {score: value});
  };
  const step = () => {
    const inside = root.activeElement;
    const status = make("p.kept", {role: "status"}, "\u00a0");
    draw(status, make("fieldset", {ariaLabel: s.question}, ...scale()), said.score == null ? "" : further());
    if (inside) root.querySelector("[aria-current]")?.focus();
    return status;
  };

  // The further questions that the answers so far call for, a page of them at a time; the server looks again.
  const due = () => s.more.filter((q) => !said[q.key] && Object.entries(q.when).every(([key, fit]) => [said[key]].flat().some((v) => fit.includes(v))));
  const field = ({key, kind, ask, options, maxLength}) => options
    ? make("fieldset", {}, make("legend.q2", {}, ask), make("div.chips", {}, ...options.map(([value, text]) => make("label", {}, make("input", {type: kind, name: key, value}), text))))
    : make("label.q2", {}, ask, make(kind + ".words", {name: key, maxLength, autocomplete: "off"}));
  const further = () => {
    const questions = due(), names = questions.map((q) => q.key).join();
    if (names == drawn) return rest;
    // No person sees the third field, and what fills it is none.
    const mine = make("form", {}, ...questions.map(field), make("input.say", {name: "web-page", tabIndex: -1, ariaHidden: true, autocomplete: "off"}), make("div.acts", {}, make("button.go", {}, s.words.send), make("button", {type: "button", onclick: thank}, s.words.skip)));
    drawn = names;
    mine.onsubmit = async (e) => {
      e.preventDefault();
      const answers = {};
      for (const [key, value] of new FormData(mine)) if (value.trim()) (answers[key] ||= []).push(value);
      for (const {key} of questions) said[key] = answers[key] || [];
      due()[0] ? step() : thank();
      const stored = await call("answer", {ticket, score: said.score, answers});
      if (stored.status) return tell("answered", {score: said.score, comment: answers.comment?.[0]});
      for (const {key} of questions) delete said[key];
      drawn = names;
      rest = mine;
      step().textContent = s.words.failed;
    };
    return rest = names ? mine : "";
  };
  const thank = () => {
    const inside = root.activeElement;
    draw(make("p.q1", {role: "status", tabIndex: -1}, s.words.thanks));
    if (inside) root.querySelector(".q1").focus();
  };

  // Never over a field in use: step aside while somebody writes on the page, and be there again for who leaves it by Tab.
  const aside = (e) => {
    if (over) removeEventListener(e.type, aside, true);
    else if (!inline) at.hidden = e.type != "focusout" && e.key != "Tab" && e.target != at && e.target.matches("input,textarea,select,[contenteditable]");
  };
  addEventListener("focusin", aside, true);
  addEventListener("focusout", aside, true);
  addEventListener("keydown", aside, true);
  aside({type: "focusin", target: document.activeElement}); // who began to write while this was fetched
  root.addEventListener("focusin", (e) => { if (e.relatedTarget && !root.contains(e.relatedTarget)) before = e.relatedTarget; });
  panel.addEventListener("keydown", (e) => { if (e.key == "Escape" && !inline) { e.stopPropagation(); api.close(); } });

  const api = {host, close() {
    if (over) return;
    over = 1;
    watch.disconnect();
    const inside = root.activeElement;
    if (seen && said.score == null) {
      call("seen", {ticket, what: "dismissed"});
      tell("dismissed", {});
    }
    inline ? (root.replaceChildren(), at.hidden = true) : at.remove();
    if (inside && before?.isConnected) before.focus();
    ended();
    done(false);
  }};

  // Shown is what was really seen: half of it, in a tab that is looked at. After a minute somebody else's turn may
  // have come, so the server is asked again before the question counts as shown.
  const watch = new IntersectionObserver(async (entries) => {
    if (seen || over || !entries.some((e) => e.isIntersecting)) return;
    if (document.hidden) return document.addEventListener("visibilitychange", look, {once: true});
    seen = 1;
    if (Date.now() - born > 55000) {
      const fresh = await again();
      if (!fresh.show) return seen = 0, api.close();
      ({survey: s, ticket} = fresh);
      ask();
    }
    const {reason} = await call("seen", {ticket, what: "shown"});
    if (reason) return api.close();
    live.textContent = s.title;
    done(true);
  }, {threshold: .5});
  const look = () => { watch.disconnect(); if (!over) watch.observe(tab || panel); };

  ask();
  root.replaceChildren(live, panel);
  if (form == "tab") {
    panel.hidden = true;
    tab = make("button.tab go", {ariaExpanded: false, "aria-controls": "panel", onclick: () => tab.ariaExpanded = !(panel.hidden = !panel.hidden)}, make("p", {}, s.words.tab));
    root.prepend(tab);
  }
  if (!inline) {
    document.body.append(at);
    at.showPopover?.();
  }
  look();
  return api;
};
