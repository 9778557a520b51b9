/* The console's own behaviour. Every page reads and every form posts without it. */
(function () {
  "use strict";
  var root = document.documentElement;

  function keep(name, value) {
    try { localStorage.setItem(name, value); } catch (refused) { /* storage refused: holds for this page */ }
  }
  function each(selector, act) { Array.prototype.forEach.call(document.querySelectorAll(selector), act); }

  each("[data-theme-toggle]", function (button) {
    button.hidden = false;
    button.addEventListener("click", function () {
      var theme = root.getAttribute("data-bs-theme") === "dark" ? "light" : "dark";
      root.setAttribute("data-bs-theme", theme);
      keep("theme", theme);
    });
  });

  function toggleRail() {
    var nav = root.getAttribute("data-nav") === "rail" ? "wide" : "rail";
    root.setAttribute("data-nav", nav);
    keep("nav", nav);
  }
  each("[data-rail-toggle]", function (button) {
    button.hidden = false;
    button.addEventListener("click", toggleRail);
  });

  /* on phones the menu opens by a press; without script it stands open */
  var box = document.querySelector(".navbox");
  if (box) {
    if (matchMedia("(max-width: 760px)").matches) { box.removeAttribute("open"); }
    box.setAttribute("data-ready", "");
    matchMedia("(max-width: 760px)").addEventListener("change", function (narrow) { box.open = !narrow.matches; });
    box.querySelector("summary").addEventListener("click", function (press) {
      if (!matchMedia("(max-width: 760px)").matches) { press.preventDefault(); }
    });
  }

  each("details.who", function (menu) {
    document.addEventListener("click", function (press) { if (!menu.contains(press.target)) { menu.open = false; } });
    menu.addEventListener("keydown", function (key) {
      if (key.key === "Escape" && menu.open) { menu.open = false; menu.querySelector("summary").focus(); }
    });
  });

  /* filters send themselves; the button stays for those without script */
  each("form[data-filters]", function (form) {
    form.classList.add("auto");
    form.addEventListener("change", function (change) { if (change.target.matches("[data-send]")) { form.requestSubmit(); } });
    form.addEventListener("submit", function () {
      Array.prototype.forEach.call(form.elements, function (field) { if (field.name && field.value === "") { field.disabled = true; } });
    });
  });
  addEventListener("pageshow", function () {
    each("form[data-filters] :disabled", function (field) { field.disabled = false; });
  });

  each("[data-focus]", function (summary) { summary.focus(); });

  each("[data-more]", function (button) {
    button.hidden = false;
    button.setAttribute("aria-expanded", "false");
    button.addEventListener("click", function () {
      var open = button.closest("[data-step]").classList.toggle("open");
      button.setAttribute("aria-expanded", String(open));
      button.textContent = open ? "Less" : "More about this step";
    });
  });

  each("[data-copy]", function (button) {
    if (!navigator.clipboard) { return; }
    button.hidden = false;
    button.addEventListener("click", function () {
      var source = document.getElementById(button.getAttribute("data-copy"));
      navigator.clipboard.writeText(source.textContent).then(function () { button.lastElementChild.textContent = "Copied"; });
    });
  });

  /* single keys can be turned off (WCAG 2.1.4) */
  function keysOn() {
    try { return localStorage.getItem("keys") !== "off"; } catch (refused) { return true; }
  }
  each("[data-keys-toggle]", function (button) {
    function show() {
      button.setAttribute("aria-pressed", String(keysOn()));
      button.lastElementChild.textContent = keysOn() ? "on" : "off";
    }
    button.hidden = false;
    show();
    button.addEventListener("click", function () { keep("keys", keysOn() ? "off" : "on"); show(); });
  });

  /* keys: [ menu, / filter, J K rows, G then a letter, arrows between steps of the map */
  var going = 0;
  function typing(target) { return target.matches("input, select, textarea, [contenteditable]"); }
  function move(selector, by) {
    var all = Array.prototype.slice.call(document.querySelectorAll(selector));
    if (!all.length) { return; }
    var at = all.indexOf(document.activeElement.closest(selector));
    var next = all[at < 0 ? 0 : Math.max(0, Math.min(all.length - 1, at + by))];
    next.focus();
  }
  document.addEventListener("keydown", function (key) {
    if ((key.ctrlKey || key.metaKey) && key.key.toLowerCase() === "k") {
      var find = document.getElementById("find");
      if (find && find.offsetParent) { key.preventDefault(); find.select(); }
      return;
    }
    if (key.ctrlKey || key.metaKey || key.altKey || typing(key.target) || !keysOn()) { return; }
    if (going && Date.now() - going < 1500) {
      going = 0;
      var link = document.querySelector('.side a[data-go="' + key.key.toLowerCase() + '"]');
      if (link) { key.preventDefault(); link.click(); }
      return;
    }
    if (key.key === "g") { going = Date.now(); }
    else if (key.key === "[") { toggleRail(); }
    else if (key.key === "/") {
      var field = document.querySelector("form[data-filters] input:not([type=hidden]), form[data-filters] select");
      if (field) { key.preventDefault(); field.focus(); }
    }
    else if (key.key === "j" || key.key === "k") { move("[data-row]", key.key === "j" ? 1 : -1); }
    else if ((key.key === "ArrowRight" || key.key === "ArrowLeft") && key.target.closest(".jm")) {
      key.preventDefault();
      move(".jm h3 a", key.key === "ArrowRight" ? 1 : -1);
    }
  });
})();
