/* The designer: the same posts as without script, made in the background; the parts of the page that changed are
   swapped in. Saves by itself, moves questions by drag and by Alt with an arrow, counts the seconds since saving. */
(function () {
  "use strict";
  var form = document.getElementById("design");
  if (!form || form.hasAttribute("aria-disabled")) { return; }
  var waiting = 0, busy = false, again = null, problem = "", current = true;

  function live(name, root) { return (root || document).querySelector('[data-live="' + name + '"]'); }

  function swap(name, fresh) {
    var old = live(name), next = live(name, fresh);
    if (old && next && old.innerHTML !== next.innerHTML) { old.innerHTML = next.innerHTML; }
  }

  /* what a person is writing in stays; everything that only tells is taken from the answer */
  function tell(fresh) {
    ["saved", "tools", "checks"].forEach(function (name) { swap(name, fresh); });
    if (!live("wording").contains(document.activeElement)) { swap("wording", fresh); }
    Array.prototype.forEach.call(fresh.querySelectorAll('[data-live^="sum-"]'), function (part) { swap(part.getAttribute("data-live"), fresh); });
    form.elements.revision.value = fresh.querySelector("#design [name=revision]").value;
    if (current) { show(fresh); } else { soon(); }
  }

  /* an answer to another look than the present one leaves the frame alone */
  function show(fresh) {
    swap("pane", fresh);
  }

  function whole(fresh, focus) {
    var open = Array.prototype.map.call(form.querySelectorAll("details[open]"), function (part) { return part.closest("li").id; });
    var kept = focus || (document.activeElement && document.activeElement.id);
    live("work").innerHTML = live("work", fresh).innerHTML;
    open.forEach(function (id) { var part = document.querySelector("#" + CSS.escape(id) + " details"); if (part) { part.open = true; } });
    tell(fresh);
    ready();
    var target = kept && document.getElementById(kept);
    if (target) { target.focus(); }
  }

  function send(doing, done) {
    if (busy) { again = again && again[0] !== "save" ? again : [doing, done]; return; }
    busy = true;
    form.setAttribute("aria-busy", "true");
    clearTimeout(waiting);
    waiting = 0;
    var body = new URLSearchParams(new FormData(form)), look = form.action;
    body.set("do", doing);
    fetch(form.action, {method: "POST", body: body, credentials: "same-origin", keepalive: true}).then(function (answer) {
      var at = new URL(answer.url).searchParams.get("open");
      return answer.text().then(function (text) {
        var fresh = new DOMParser().parseFromString(text, "text/html");
        if (!fresh.getElementById("design")) { throw new Error(String(answer.status)); }
        if (answer.status === 409) { document.querySelector("main").innerHTML = fresh.querySelector("main").innerHTML; location.hash = ""; form = document.getElementById("design"); ready(); return; }
        current = form.action === look;
        done(fresh, at);
      });
    }).catch(function () {
      problem = "Not saved: no answer. It is tried again.";
      waiting = setTimeout(function () { send("save", tell); }, 5000);
    }).then(function () {
      busy = false;
      form.removeAttribute("aria-busy");
      if (again) { var next = again; again = null; send(next[0], next[1]); }
    });
  }

  function soon() {
    clearTimeout(waiting);
    waiting = setTimeout(function () { send("save", tell); }, 600);
  }

  function structural(doing, focus) {
    send(doing, function (fresh, at) { whole(fresh, focus || (at && "q-" + at)); });
  }

  function ready() { drags(); }

  document.addEventListener("submit", function (press) {
    if (press.target !== form) { return; }
    press.preventDefault();
    var button = press.submitter;
    structural(button && button.name === "do" ? button.value : "save");
  });

  document.addEventListener("input", function (typed) { if (form.contains(typed.target) && !typed.target.hasAttribute("data-restructure")) { soon(); } });
  document.addEventListener("change", function (made) {
    if (form.contains(made.target) && made.target.hasAttribute("data-restructure")) { structural("save", made.target.id); }
  });

  /* Alt with an arrow moves the question that has the focus */
  document.addEventListener("keydown", function (key) {
    var item = key.target.closest && key.target.closest("[data-question]");
    if (item && key.altKey && (key.key === "ArrowUp" || key.key === "ArrowDown")) {
      key.preventDefault();
      var from = Number(item.getAttribute("data-question"));
      if (from + (key.key === "ArrowUp" ? -1 : 1) >= 0) { structural((key.key === "ArrowUp" ? "up." : "down.") + from, item.id); }
      return;
    }
    var typing = key.target.matches("input:not([type=checkbox]), textarea, select");
    if ((key.ctrlKey || key.metaKey) && !key.shiftKey && key.key.toLowerCase() === "z" && !typing) {
      var undo = document.querySelector("#undo button");
      if (undo && !undo.disabled) { key.preventDefault(); undo.click(); }
    }
  });

  function drags() {
    Array.prototype.forEach.call(form.querySelectorAll("[data-question]"), function (item) {
      var grip = item.querySelector("[data-grip]");
      grip.hidden = false;
      grip.addEventListener("pointerdown", function (press) {
        press.preventDefault();
        grip.setPointerCapture(press.pointerId);
        item.classList.add("held");
        var target = item, after = false;
        function over(move) {
          var found = document.elementFromPoint(move.clientX, move.clientY);
          var other = found && found.closest("[data-question]");
          if (!other) { return; }
          var box = other.getBoundingClientRect();
          target.classList.remove("over", "under");
          target = other;
          after = move.clientY > box.top + box.height / 2;
          target.classList.add(after ? "under" : "over");
        }
        function drop() {
          grip.removeEventListener("pointermove", over);
          item.classList.remove("held");
          target.classList.remove("over", "under");
          var from = Number(item.getAttribute("data-question")), to = Number(target.getAttribute("data-question")) + (after ? 1 : 0);
          if (to > from) { to -= 1; }
          if (to !== from) { structural("move." + from + "." + to, item.id); }
        }
        grip.addEventListener("pointermove", over);
        grip.addEventListener("pointerup", drop, {once: true});
        grip.addEventListener("pointercancel", drop, {once: true});
      });
    });
  }

  /* another look at the same draft changes the frame and nothing else */
  document.addEventListener("click", function (press) {
    var link = press.target.closest("a[data-pane]");
    if (!link || press.ctrlKey || press.metaKey || press.shiftKey) { return; }
    press.preventDefault();
    var label = link.closest("nav").getAttribute("aria-label"), place = Array.prototype.indexOf.call(link.parentNode.children, link);
    fetch(link.href, {credentials: "same-origin"}).then(function (answer) { return answer.text(); }).then(function (text) {
      var fresh = new DOMParser().parseFromString(text, "text/html");
      show(fresh);
      form.action = fresh.getElementById("design").action;
      document.getElementById("undo").action = fresh.getElementById("undo").action;
      history.replaceState(null, "", link.href);
      var same = document.querySelector('#pane nav[aria-label="' + label + '"]');
      if (same && same.children[place]) { same.children[place].focus(); }
    });
  });

  addEventListener("beforeunload", function () { if (waiting) { send("save", tell); } });

  setInterval(function () {
    var at = document.querySelector("[data-saved]");
    if (problem && !waiting) { problem = ""; }
    if (!at) { return; }
    var gone = Math.max(0, Math.round((Date.now() - Date.parse(at.getAttribute("data-saved"))) / 1000));
    if (gone < 90) { at.textContent = problem || "saved " + gone + " s ago"; }
  }, 1000);

  ready();
})();
