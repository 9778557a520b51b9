/* Runs before the first paint: the reader's theme and menu width, so that nothing flashes. */
(function () {
  "use strict";
  var root = document.documentElement;
  function kept(name) {
    try { return localStorage.getItem(name); } catch (refused) { return null; }
  }
  var theme = kept("theme");
  var dark = theme ? theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.setAttribute("data-bs-theme", dark ? "dark" : "light");
  var nav = kept("nav") || (root.getAttribute("data-rail") === "yes" ? "rail" : "wide");
  root.setAttribute("data-nav", nav);
  root.classList.add("js");
})();
