// What every part of the page uses: words in two languages, building elements, calling the program.
// Text is only ever set as text; HTML comes from the program, where it was escaped, through F.fill.
(() => {
  const F = (window.fiche = { actions: {}, onstart: [], onlanguage: [], ui: "en" });
  F.get = (id) => document.getElementById(id);

  F.t = (key, values = {}) => {
    const found = F.words[key] || [key, key];
    return found[F.ui === "nl" ? 0 : 1].replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
  };
  F.both = (key, values = {}) => {
    const [nl, en] = ["nl", "en"].map((lang, i) =>
      F.h("span", { class: lang, lang }, F.words[key][i].replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "")));
    const out = document.createDocumentFragment();
    out.append(nl, en);
    return out;
  };
  F.pair = (texts) => {
    const out = document.createDocumentFragment();
    out.append(F.h("span", { class: "nl", lang: "nl" }, texts.nl), F.h("span", { class: "en", lang: "en" }, texts.en));
    return out;
  };
  F.named = (key, values = {}) => {
    const fill = (i) => F.words[key][i].replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
    return { "data-label-nl": fill(0), "data-label-en": fill(1) };
  };
  F.h = (name, attributes = {}, ...children) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (value === true) element.setAttribute(key, "");
      else if (value !== null && value !== undefined && value !== false) element.setAttribute(key, value);
    }
    element.append(...children.filter((child) => child !== null && child !== undefined));
    return element;
  };
  F.fill = (element, html) => {
    element.innerHTML = html;
    F.speak(element);
  };

  // Names, hints and options have one language at a time; everything else has both, and CSS shows one.
  F.speak = (root) => {
    const lang = F.ui;
    for (const [kind, attribute] of [["label", "aria-label"], ["hint", "placeholder"]]) {
      for (const element of root.querySelectorAll(`[data-${kind}-${lang}]`)) {
        element.setAttribute(attribute, element.getAttribute(`data-${kind}-${lang}`));
        if (kind === "label" && element.tagName === "BUTTON") element.title = element.getAttribute(attribute);
      }
    }
    for (const option of root.querySelectorAll("option[data-key]")) option.textContent = F.t(option.dataset.key);
  };
  F.language = (lang) => {
    F.ui = lang;
    F.app.dataset.ui = lang;
    document.documentElement.lang = lang;
    for (const button of F.app.querySelectorAll("[data-language]"))
      button.setAttribute("aria-pressed", String(button.dataset.language === lang));
    F.speak(F.app);
    F.onlanguage.forEach((call) => call());
  };
  F.actions.language = (button) => {
    F.remember("fiche-language", button.dataset.language);
    F.language(button.dataset.language);
  };

  F.date = (time, dateStyle = "long") =>
    new Date(time).toLocaleString(F.ui === "nl" ? "nl-NL" : "en-GB", { dateStyle, timeStyle: "short" });

  F.recall = (key) => {
    try { return localStorage.getItem(key); } catch { return null; }
  };
  F.remember = (key, value) => {
    try { localStorage.setItem(key, value); return true; } catch { return false; }
  };
  F.theme = () => (getComputedStyle(F.app).getPropertyValue("--dark").trim() === "1" ? "dark" : "light");
  F.actions.theme = () => {
    const other = F.theme() === "dark" ? "light" : "dark";
    document.documentElement.dataset.theme = other;
    F.remember("fiche-theme", other);
    F.ontheme?.();
  };

  let hiding;
  F.say = (content, kind = "") => {
    const toast = F.get("status");
    toast.replaceChildren(content);
    toast.className = `toast shown ${kind}`;
    clearTimeout(hiding);
    hiding = setTimeout(() => toast.classList.remove("shown"), kind === "bad" ? 12000 : 5000);
  };
  // What Gradio's own client does not tell: that a request was turned away, and why.
  const fetched = window.fetch;
  window.fetch = async (...request) => {
    const response = await fetched(...request);
    const address = String(request[0]?.url || request[0]);
    if (/component_server|queue\/join/.test(address)) F.status = response.status;
    if (address.includes("queue/join") && !response.ok) F.turnedAway?.();
    return response;
  };
  F.trouble = () => F.both({ 429: "too_many", 503: "too_many" }[F.status] || "offline");
  // Ask the program for something; an error is said, and gives nothing.
  F.call = async (name, data = {}) => {
    let reply;
    try { reply = await F.server[name](data); } catch { reply = null; }
    if (reply && typeof reply === "object" && !reply.error) return reply;
    F.say(reply?.error?.nl ? F.pair(reply.error) : F.trouble(), "bad");
    return null;
  };

  F.showTab = (name, focus) => {
    for (const tab of F.app.querySelectorAll("[role=tab]")) {
      const chosen = tab.dataset.tab === name;
      tab.setAttribute("aria-selected", String(chosen));
      tab.tabIndex = chosen ? 0 : -1;
      F.get(`panel-${tab.dataset.tab}`).hidden = !chosen;
      if (chosen && focus) tab.focus();
    }
    F.opened?.(name);
  };
  F.actions.tab = (tab) => F.showTab(tab.dataset.tab);
  F.showPane = (name) => {
    for (const pane of F.app.querySelectorAll(".pane")) pane.classList.toggle("current", pane.dataset.pane === name);
    for (const button of F.app.querySelectorAll(".switch button"))
      button.setAttribute("aria-pressed", String(button.dataset.pane === name));
  };
  F.actions.pane = (button) => F.showPane(button.dataset.pane);
  F.narrow = () => matchMedia("(max-width: 60rem)").matches;
  F.actions.skip = (_, event) => {
    event.preventDefault();
    F.showTab("chat");
    F.showPane("conversation");
    F.get("question").focus();
  };

  const moveTab = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const tab = event.target.closest?.("[role=tab]");
    if (!step || !tab) return;
    const tabs = [...F.app.querySelectorAll("[role=tab]")];
    F.showTab(tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length].dataset.tab, true);
    event.preventDefault();
  };

  F.start = (element, server) => {
    F.server = server;
    F.app = element.querySelector("#app");
    F.words = JSON.parse(F.app.dataset.words);
    const known = F.recall("fiche-language") || (navigator.languages || [navigator.language])
      .map((lang) => lang.slice(0, 2).toLowerCase()).find((lang) => lang === "nl" || lang === "en");
    const theme = F.recall("fiche-theme");
    if (theme) document.documentElement.dataset.theme = theme;
    F.language(known === "nl" ? "nl" : "en");
    F.app.addEventListener("click", (event) => {
      const button = event.target.closest("[data-do]");
      if (button) F.actions[button.dataset.do]?.(button, event);
    });
    F.app.addEventListener("keydown", moveTab);
    F.onstart.forEach((call) => call());
    F.ready = true;
    F.app.classList.add("ready");
  };
})();
