// What pages do by themselves. Every page is whole without it.
// 1. A clock only counts down from what the server drew.  2. j k x Enter / ? move through a list of rows.
// 3. A form that has been sent is not sent twice by a second click, unless it gives a file each time.
// 4. A row that is drawn anew stays where the keys have moved to, and stays chosen.
"use strict";

(() => {
  const loaded = Date.now();

  function countDown() {
    for (const clock of document.querySelectorAll(".clock[data-left]")) {
      const drawn = Number(clock.dataset.drawn || loaded);
      const left = Number(clock.dataset.left) - Math.floor((Date.now() - drawn) / 60000);
      const shown = clock.querySelector("[data-minutes]");
      if (shown && left >= 0 && left < 60) shown.textContent = String(left);
    }
  }

  function stampClocks(root) {
    for (const clock of root.querySelectorAll(".clock[data-left]")) clock.dataset.drawn = String(Date.now());
  }

  function rows() {
    return [...document.querySelectorAll("[data-row]")];
  }

  function move(step) {
    const all = rows();
    if (!all.length) return;
    const at = all.findIndex((row) => row.classList.contains("at"));
    const next = all[Math.min(all.length - 1, Math.max(0, at < 0 ? 0 : at + step))];
    for (const row of all) row.classList.toggle("at", row === next);
    const link = next.querySelector("a[href]");
    (link || next).focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  }

  const keys = {
    j: () => move(1),
    k: () => move(-1),
    x: () => document.querySelector("[data-row].at input[type=checkbox]")?.click(),
    "/": () => document.querySelector("input[type=search]")?.focus(),
    "?": () => {
      const help = document.getElementById("keys");
      if (help) { help.scrollIntoView({ block: "nearest" }); help.focus(); }
    },
  };

  function onKey(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, select, textarea, [contenteditable]")) return;
    const act = keys[event.key];
    if (act) { event.preventDefault(); act(); }
  }

  function once(event) {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post" || "again" in form.dataset) return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "yes";
  }

  function asItWas(event) {
    const { target, fragment } = event.detail;
    const drawn = target.matches("[data-row]") && fragment.querySelector("[data-row]");
    if (!drawn) return;
    drawn.classList.toggle("at", target.classList.contains("at"));
    const chosen = drawn.querySelector("input[type=checkbox]");
    if (chosen) chosen.checked = Boolean(target.querySelector("input[type=checkbox]:checked"));
  }

  document.addEventListener("DOMContentLoaded", () => {
    stampClocks(document);
    setInterval(countDown, 15000);
    if (document.body.dataset.shortcuts === "yes") document.addEventListener("keydown", onKey);
    const summary = document.querySelector(".summary[tabindex]");
    if (summary) summary.focus();
    for (const box of document.querySelectorAll("[data-select-all]")) {
      box.hidden = false;
      const input = box.querySelector("input");
      input.addEventListener("change", () => {
        for (const each of document.querySelectorAll("[data-row] input[type=checkbox]")) each.checked = input.checked;
      });
    }
  });
  document.addEventListener("submit", once);
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  });
  document.addEventListener("htmx:oobBeforeSwap", asItWas);
  document.addEventListener("htmx:load", (event) => stampClocks(event.detail.elt));
})();
