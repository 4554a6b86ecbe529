// Security keys: asks the browser for one, between two questions to the desk.
"use strict";

(() => {
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

  async function ask(address, data) {
    const token = JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];
    const headers = { "Content-Type": "application/json", "X-CSRFToken": token };
    const answer = await fetch(address, { method: "POST", headers, body: JSON.stringify(data) });
    const found = await answer.json();
    if (!answer.ok) throw new Error(found.sentence);
    return found;
  }

  function options(found) {
    const listed = (name) => (found[name] || []).map((each) => ({ ...each, id: bytes(each.id) }));
    const made = { ...found, challenge: bytes(found.challenge) };
    if (found.user) made.user = { ...found.user, id: bytes(found.user.id) };
    if (found.excludeCredentials) made.excludeCredentials = listed("excludeCredentials");
    if (found.allowCredentials) made.allowCredentials = listed("allowCredentials");
    return { publicKey: made };
  }

  function told(key) {
    const response = {};
    for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (key.response[name]) response[name] = text(key.response[name]);
    }
    if (key.response.getTransports) response.transports = key.response.getTransports();
    return {
      id: key.id, rawId: text(key.rawId), type: key.type, response,
      clientExtensionResults: key.getClientExtensionResults(),
    };
  }

  async function go(button) {
    const said = document.getElementById("key-said");
    said.hidden = true;
    try {
      const old = document.getElementById("id_old");
      const found = await ask(button.dataset.begin, old ? { old: old.value } : {});
      const way = button.dataset.keys === "add" ? "create" : "get";
      const key = await navigator.credentials[way](options(found));
      window.location.assign((await ask(button.dataset.complete, told(key))).go);
    } catch (error) {
      said.querySelector("p").textContent = error.name === "Error" ? error.message : button.dataset.failed;
      said.hidden = false;
    }
  }

  document.addEventListener("DOMContentLoaded", () => {
    if (!window.PublicKeyCredential) return;
    for (const button of document.querySelectorAll("[data-keys]")) {
      button.hidden = false;
      button.addEventListener("click", () => go(button));
    }
  });
})();
