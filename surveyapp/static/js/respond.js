// Two things, and every page works without them. A form is posted without leaving the page: what the server answers takes
// its place. And a click in the message was the answer: opened with a score, the page is step 2 at once; as soon as
// somebody could see it, the score is posted as provisional, and the first gesture of a person confirms it.
// Sent without these comments, see web/respond/script.py.
(() => {
  const gestures = ["pointerdown", "pointermove", "touchstart", "wheel", "keydown", "scroll"];
  // Browsers that do not know the media feature `scripting` show step 1 until now.
  document.documentElement.classList.add("live");
  let stop = () => {};
  const start = () => {
    const form = document.querySelector("form[data-post]");
    if (!form) return;
    const post = (mark, value) => fetch(form.dataset.post, {
      method: "POST",
      // A redirect that is not followed is how the server says yes; keepalive lets the post outlive the page.
      redirect: "manual",
      keepalive: true,
      body: new URLSearchParams({ score: form.dataset.score, visit: form.elements.visit.value, [mark]: value }),
    }).then((answer) => answer.type === "opaqueredirect" && saved(), () => {});
    const saved = () => {
      const words = form.querySelector(".wait");
      if (!words || !form.isConnected) return;
      words.classList.remove("wait");
      form.querySelector("[role=status]").textContent = words.textContent;
      // Going back or loading again shows what is stored, and posts nothing of its own.
      history.replaceState(null, "", form.action);
    };
    const seen = () => {
      if (document.visibilityState !== "visible") return;
      removeEventListener("visibilitychange", seen, true);
      if ("scripted" in form.dataset) post("scripted", 1);
    };
    const moved = (event) => {
      if (!event.isTrusted) return;
      stop();
      post("gesture", event.type);
    };
    stop = () => gestures.forEach((name) => removeEventListener(name, moved, true));
    gestures.forEach((name) => addEventListener(name, moved, { capture: true, passive: true }));
    addEventListener("visibilitychange", seen, true);
    seen();
  };
  start();
  if (!("adoptedStyleSheets" in document)) return;
  const show = (address, html) => {
    // The style block is taken out first: the policy of this page knows the hash of its own alone.
    const [block, css] = html.match(/<style>([^]*?)<\/style>/);
    const next = new DOMParser().parseFromString(html.replace(block, ""), "text/html");
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    document.styleSheets[0].disabled = true;
    document.adoptedStyleSheets = [sheet];
    document.title = next.title;
    document.body.replaceWith(document.adoptNode(next.body));
    if (address) history.pushState(null, "", address);
    scrollTo(0, 0);
    // A screen reader goes on from here: what is wrong, or else the new page from its first word.
    const first = document.querySelector("[aria-invalid]") || document.querySelector("main");
    if (first.matches("main")) first.tabIndex = -1;
    first.focus({ preventScroll: true });
    start();
  };
  addEventListener("popstate", () => location.reload());
  let busy = false;
  addEventListener("submit", (event) => {
    const form = event.target, button = event.submitter;
    if (form.method !== "post") return;
    if (busy) return event.preventDefault();
    const fields = new URLSearchParams(new FormData(form));
    if (button && button.name) fields.append(button.name, button.value);
    event.preventDefault();
    busy = true;
    stop();
    fetch(form.action, { method: "POST", body: fields })
      .then((answer) => answer.text().then((html) => show(answer.redirected && answer.url, html)))
      // No answer at all: the browser tries by itself and says what is wrong.
      .catch(() => {
        if (button && button.name) {
          const kept = { type: "hidden", name: button.name, value: button.value };
          form.append(Object.assign(document.createElement("input"), kept));
        }
        form.submit();
      })
      .finally(() => { busy = false; });
  });
})();
