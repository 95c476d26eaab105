// Conversations, kept in this browser and nowhere else: found again, deleted, exported.
(() => {
  const F = window.fiche;
  const KEY = "fiche-conversations-1";
  let current = null;

  const read = () => {
    try {
      const found = JSON.parse(F.recall(KEY) || "[]");
      return Array.isArray(found) ? found.filter((c) => c && c.id && Array.isArray(c.turns)) : [];
    } catch { return []; }
  };
  const write = (list) => F.remember(KEY, JSON.stringify(list));

  F.keep = () => {
    const turns = F.turns.filter((turn) => !turn.error);
    if (!turns.length) return;
    current = current || { id: String(Date.now()), at: new Date().toISOString() };
    const others = read().filter((c) => c.id !== current.id);
    if (!write([{ ...current, title: turns[0].question, turns }, ...others])) F.say(F.both("storage_full"), "bad");
    try { sessionStorage.setItem("fiche-current", current.id); } catch { /* not kept over a reload, then */ }
  };
  F.actions.new = () => {
    current = null;
    try { sessionStorage.removeItem("fiche-current"); } catch { /* as above */ }
    F.clearChat();
    F.showPane("conversation");
    F.get("question").focus();
  };
  const open = (conversation) => {
    F.clearChat();
    current = { id: conversation.id, at: conversation.at };
    F.turns = conversation.turns;
    F.turns.forEach((turn) => F.showTurn(turn, false));
    const last = F.turns[F.turns.length - 1];
    F.showSources(last);
    if (last.places[0]) F.openPlace(last.places[0].document, last.places[0].start, last.places[0].end, false);
    try { sessionStorage.setItem("fiche-current", conversation.id); } catch { /* as above */ }
  };

  F.actions.conversations = () => { list(); F.get("conversations").showModal(); };
  F.actions.close = () => F.get("conversations").close();
  const list = () => {
    const words = F.get("find").value.trim().toLowerCase();
    const all = read();
    const found = all.filter((c) => !words || JSON.stringify(c.turns.map((t) => [t.question, t.answer.answer])).toLowerCase().includes(words));
    const rows = found.map((c) => F.h("li", {},
      F.h("button", { type: "button", class: "title", "data-do": "kept-open", "data-id": c.id }, F.h("strong", {}, c.title),
        F.h("time", { datetime: c.at }, F.date(c.at, "medium"))),
      F.h("div", { class: "group" },
        F.h("button", { type: "button", class: "link", "data-do": "kept-markdown", "data-id": c.id }, F.both("export_markdown"), sr(c)),
        F.h("button", { type: "button", class: "link", "data-do": "kept-json", "data-id": c.id }, F.both("export_json"), sr(c)),
        F.h("button", { type: "button", class: "link", "data-do": "kept-delete", "data-id": c.id }, F.both("delete"), sr(c)))));
    const none = F.h("li", { class: "hint" }, F.both(all.length ? "none_found" : "none_kept"));
    F.get("kept").replaceChildren(...(rows.length ? rows : [none]));
  };
  const sr = (c) => F.h("span", { class: "sr" }, `: ${c.title}`);
  const named = (button) => read().find((c) => c.id === button.dataset.id);
  F.actions["kept-open"] = (button) => {
    const conversation = named(button);
    F.get("conversations").close();
    if (conversation) open(conversation);
  };
  F.actions["kept-delete"] = (button) => {
    write(read().filter((c) => c.id !== button.dataset.id));
    if (current?.id === button.dataset.id) { current = null; F.clearChat(); }
    list();
    F.get("find").focus();
  };
  F.actions["kept-markdown"] = (button) => {
    const c = named(button);
    F.download(`${name(c)}.md`, F.asMarkdown(c.turns, c.title), "text/markdown");
  };
  F.actions["kept-json"] = (button) => {
    const c = named(button);
    const answers = c.turns.map((turn) => ({ ...turn.answer, asked: turn.question }));
    F.download(`${name(c)}.json`, JSON.stringify({ title: c.title, at: c.at, answers }, null, 1), "application/json");
  };
  const name = (c) => `fiche-${c.at.slice(0, 10)}-${c.title.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-").slice(0, 40).replace(/^-|-$/g, "")}`;

  const plain = (text) => text.replace(/([\\`*_[\]<>#|~])/g, "\\$1");
  F.asMarkdown = (turns, title) => {
    const parts = title ? [`# ${plain(title)}`] : [];
    for (const { question, answer } of turns) {
      parts.push(`## ${plain(question)}`);
      if (question !== answer.question) parts.push(`*${F.t("understood")} ${plain(answer.question)}*`);
      parts.push(answer.answer);
      for (const c of answer.citations) {
        const place = [c.document, F.t("page", { page: c.page }), c.section].filter(Boolean).join(", ");
        parts.push(`[${c.n}] ${plain(place)}\n\n> ${plain(c.quote)}${c.translation ? `\n>\n> ${plain(c.translation)}` : ""}`);
      }
    }
    return `${parts.join("\n\n")}\n`;
  };
  F.download = (file, text, type) => {
    const link = F.h("a", { href: URL.createObjectURL(new Blob([text], { type })), download: file });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };

  F.onstart.push(() => {
    F.get("find").addEventListener("input", list);
    let id = null;
    try { id = sessionStorage.getItem("fiche-current"); } catch { /* a new conversation, then */ }
    const conversation = id && read().find((c) => c.id === id);
    if (conversation?.turns.length) open(conversation);
  });
  F.onlanguage.push(() => { if (F.get("conversations")?.open) list(); });
})();
