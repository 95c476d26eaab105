// The document: loaded once each, walked through by its outline, a cited sentence marked in its paragraph.
(() => {
  const F = window.fiche;
  let shown = null;
  const loaded = new Map();

  F.loadDocument = async (id) => {
    if (shown && shown.id === id) return shown;
    const page = loaded.get(id) || (await F.call("document", { id }));
    if (!page) return null;
    loaded.set(page.id, page);
    shown = page;
    F.fill(F.get("reader"), page.body);
    F.fill(F.get("outline"), page.outline);
    F.get("outline-box").hidden = !page.outline;
    F.get("which").value = page.id;
    return page;
  };
  F.forgetDocuments = () => { loaded.clear(); shown = null; };

  const scrollTo = (element, focus) => {
    const reader = F.get("reader");
    const top = element.getBoundingClientRect().top - reader.getBoundingClientRect().top + reader.scrollTop;
    reader.scrollTo({ top: Math.max(0, top - reader.clientHeight * 0.28), behavior: focus ? F.calm() : "auto" });
    if (focus) element.focus({ preventScroll: true });
  };
  F.unmark = () => {
    for (const span of F.get("reader").querySelectorAll(".cited, .around")) {
      span.classList.remove("cited", "around");
      if (span.matches(".s")) { span.removeAttribute("role"); span.removeAttribute("tabindex"); }
    }
  };
  F.openPlace = async (id, start, end, focus) => {
    if (focus) F.showPane("document");
    if (!(await F.loadDocument(id))) return;
    F.unmark();
    const cited = [...F.get("reader").querySelectorAll(".s")].filter(
      (span) => Number(span.dataset.s) >= start && Number(span.dataset.e) <= end);
    for (const span of cited) {
      span.classList.add("cited");
      span.setAttribute("role", "mark");
      span.tabIndex = -1;
      span.closest("p, .footnote")?.classList.add("around");
    }
    if (cited.length) requestAnimationFrame(() => scrollTo(cited[0], focus));
  };

  F.actions.section = (button) => {
    const heading = F.get(`section-${button.dataset.section}`);
    if (F.narrow()) F.get("outline-box").open = false;
    if (heading) scrollTo(heading, true);
  };
  F.actions.note = (button) => {
    const note = F.get(`note-${button.dataset.note}`);
    if (note) scrollTo(note, true);
  };
  F.actions.mark = (button) => {
    const mark = F.get(`mark-${button.dataset.note}`);
    if (mark) scrollTo(mark, true);
  };

  // Which sentence is right: every sentence becomes a choice until one is taken or Escape is pressed.
  F.pickSentence = () =>
    new Promise((resolve) => {
      const reader = F.get("reader");
      const spans = [...reader.querySelectorAll(".s")];
      const marks = [...reader.querySelectorAll(".s sup")]; // a choice holds no buttons of its own
      const end = (value) => {
        reader.classList.remove("picking");
        for (const span of spans) { span.removeAttribute("tabindex"); span.removeAttribute("role"); }
        for (const mark of marks) mark.inert = false;
        F.get("picking").replaceChildren();
        reader.removeEventListener("click", take, true);
        document.removeEventListener("keydown", key, true);
        resolve(value);
      };
      const take = (event) => {
        const span = event.target.closest(".s");
        if (!span) return;
        event.preventDefault();
        event.stopPropagation();
        end({ text: words(span), document: shown.id });
      };
      const key = (event) => {
        if (event.key === "Escape") end(null);
        else if (event.key === "Enter" && event.target.matches?.(".s")) take(event);
      };
      reader.classList.add("picking");
      for (const mark of marks) mark.inert = true;
      const cancel = F.h("button", { type: "button", class: "quiet" }, F.both("cancel"));
      cancel.addEventListener("click", () => end(null));
      F.get("picking").replaceChildren(F.h("p", {}, F.both("picking")), cancel);
      for (const span of spans) { span.tabIndex = 0; span.setAttribute("role", "button"); }
      reader.addEventListener("click", take, true);
      document.addEventListener("keydown", key, true);
      F.showPane("document");
      const first = spans.find((span) => span.classList.contains("cited")) || spans[0];
      if (first) scrollTo(first, true);
    });
  // The words of a sentence without the marks of pages and footnotes in it.
  const words = (span) => {
    const copy = span.cloneNode(true);
    copy.querySelectorAll("sup, .pagemark").forEach((mark) => mark.remove());
    return copy.textContent;
  };

  F.refreshDocuments = async () => {
    const state = await F.call("state");
    if (!state) return null;
    if (F.snapshot !== state.snapshot) F.forgetDocuments();
    F.snapshot = state.snapshot;
    F.get("which").replaceChildren(...state.documents.map((d) => F.h("option", { value: d.id }, d.title)));
    F.get("chooser").hidden = state.documents.length < 2;
    F.get("filter").hidden = state.documents.length < 2;
    const only = F.get("filter-document");
    const before = only.value;
    only.replaceChildren(F.h("option", { value: "", "data-key": "all_documents" }), ...state.documents.map((d) => F.h("option", { value: d.id }, d.title)));
    only.value = state.documents.some((d) => d.id === before) ? before : "";
    F.speak(F.get("filter"));
    if (!shown && state.documents.length) await F.loadDocument(state.documents[0].id);
    return state;
  };
  F.onstart.push(() => {
    F.refreshDocuments();
    F.get("which").addEventListener("change", (event) => F.loadDocument(event.target.value));
    F.get("outline-box").open = matchMedia("(min-width: 100rem)").matches;
  });
})();
