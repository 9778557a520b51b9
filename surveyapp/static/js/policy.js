/* The contact policy: one popover at a time, Esc restores it, the strip opens at today. All forms post without this. */
(function () {
  "use strict";
  var tokens = Array.prototype.slice.call(document.querySelectorAll("[data-token]"));

  function close(token, back) {
    if (!token.open) { return; }
    var form = token.querySelector("form");
    if (form) { form.reset(); }
    token.open = false;
    if (back) { token.querySelector("summary").focus(); }
  }

  tokens.forEach(function (token) {
    token.addEventListener("toggle", function () {
      if (!token.open) { return; }
      tokens.forEach(function (other) { if (other !== token) { close(other, false); } });
      var field = token.querySelector(".pop input:not([type=hidden]), .pop select, .pop button");
      if (field) {
        field.focus();
        if (field.select && field.type !== "checkbox") { field.select(); }
      }
      var pop = token.querySelector(".pop");
      var over = pop.getBoundingClientRect().right - document.documentElement.clientWidth + 12;
      pop.classList.toggle("end", over > 0 && !matchMedia("(max-width: 760px)").matches);
    });
    token.addEventListener("keydown", function (key) {
      if (key.key === "Escape" && token.open) { key.preventDefault(); close(token, true); }
    });
  });
  document.addEventListener("click", function (press) {
    tokens.forEach(function (token) { if (token.open && !token.contains(press.target)) { close(token, false); } });
  });

  /* after a change the changed rule has the focus, so that the keyboard goes on from there */
  var target = location.hash.length > 1 ? document.getElementById(location.hash.slice(1)) : null;
  if (target && target.hasAttribute("tabindex")) { target.focus(); }

  Array.prototype.forEach.call(document.querySelectorAll("[data-strip]"), function (wrap) {
    var labels = wrap.querySelector(".striplab").offsetWidth;
    var wide = wrap.scrollWidth - labels;
    var today = Number(wrap.getAttribute("data-strip")) * wide;
    wrap.scrollLeft = Math.max(0, today - (wrap.clientWidth - labels) * 0.45);
  });
})();
