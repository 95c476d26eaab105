// The conversation: a question goes out over Gradio's queue, its turn comes back, the panes follow.
(() => {
  const F = window.fiche;
  const PATIENCE = 60000;
  F.turns = [];
  let waiting = null;

  F.connect = (trigger, watch, props) => {
    F.send = (data) => trigger("submit", data);
    watch("value", () => receive(props.value));
  };

  F.ask = (question) => {
    question = question.trim();
    if (!question || waiting || !F.send) return;
    const ticket = crypto.randomUUID?.() || String(Math.random()).slice(2);
    const turn = showQuestion(question);
    turn.append(F.h("p", { class: "searching" }, F.both("searching")));
    waiting = { ticket, turn, question, timer: setTimeout(giveUp, PATIENCE) };
    busy(true);
    turn.scrollIntoView({ block: "end" });
    const scope = Object.fromEntries(["document", "since", "until", "ministry"].map((name) => [name, F.get("filter").hidden ? "" : F.get(`filter-${name}`).value]));
    F.send({ ticket, question, scope, history: F.turns.filter((t) => t.answer).slice(-4).map((t) => t.answer.question) });
  };
  const busy = (on) => {
    F.get("send").disabled = on;
    F.get("log").setAttribute("aria-busy", String(on));
    F.get("composer-status").replaceChildren(on ? F.both("searching") : "");
  };
  // The sentences of an answer that is still being written: each has passed its check.
  const showDraft = (turn, html) => {
    let draft = turn.querySelector(".draft");
    if (!draft) {
      draft = F.h("div", { class: "reply draft" });
      turn.querySelector(".searching").replaceWith(draft);
    }
    F.fill(draft, html);
    turn.scrollIntoView({ block: "end" });
  };
  const giveUp = () => {
    if (!waiting) return;
    waiting.turn.querySelector(".searching")?.replaceWith(F.h("p", { class: "error", role: "alert" }, F.trouble()));
    clearTimeout(waiting.timer);
    waiting = null;
    busy(false);
  };
  F.turnedAway = giveUp;
  const receive = (value) => {
    let reply;
    try { reply = JSON.parse(value); } catch { return; }
    if (!waiting || reply.ticket !== waiting.ticket) return;
    clearTimeout(waiting.timer);
    if (reply.stage !== "done") {
      waiting.patience = Math.max(waiting.patience || PATIENCE, PATIENCE + 1000 * (reply.seconds || 0));
      waiting.timer = setTimeout(giveUp, waiting.patience);
      if (reply.html) showDraft(waiting.turn, reply.html);
      return;
    }
    const { turn } = waiting;
    waiting = null;
    busy(false);
    turn.remove();
    F.turns.push(reply.turn);
    F.showTurn(reply.turn, true);
    F.keep?.();
  };

  const showQuestion = (question) => {
    F.get("welcome").hidden = true;
    const turn = F.h("article", { class: "turn" }, F.h("p", { class: "question" }, F.h("span", { class: "sr" }, F.both("you_asked"), ": "), question));
    F.get("turns").append(turn);
    return turn;
  };
  F.showTurn = (turn, fresh) => {
    const article = showQuestion(turn.question);
    const reply = F.h("div", { class: "reply" });
    F.fill(reply, turn.error || turn.html);
    article.append(reply);
    if (turn.error) return article.scrollIntoView({ block: "nearest" });
    article.dataset.turn = turn.id;
    if (fresh) {
      F.showSources(turn);
      const place = turn.places[0];
      if (place) F.openPlace(place.document, place.start, place.end, false);
      const log = F.get("log");
      const top = article.getBoundingClientRect().top - log.getBoundingClientRect().top + log.scrollTop;
      log.scrollTo({ top, behavior: F.calm() });
    }
  };
  F.calm = () => (matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth");
  F.turnOf = (element) => F.turns.find((turn) => turn.id === element.closest(".turn")?.dataset.turn);

  F.showSources = (turn) => {
    if (F.get("sources").dataset.turn === turn.id) return;
    F.fill(F.get("sources"), turn.sources);
    F.get("sources").dataset.turn = turn.id;
    F.get("sources").scrollTop = 0;
  };
  F.clearChat = () => {
    F.turns = [];
    F.get("turns").replaceChildren();
    F.get("welcome").hidden = false;
    F.get("sources").replaceChildren(F.h("p", { class: "hint" }, F.both("sources_empty")));
    delete F.get("sources").dataset.turn;
    F.unmark?.();
  };

  // A marker: its source comes forward, and the document opens at its sentence.
  F.actions.cite = (button) => {
    const { document: name, start, end, n, turn: id } = button.dataset;
    const turn = F.turns.find((entry) => entry.id === id);
    if (turn) F.showSources(turn);
    for (const card of F.app.querySelectorAll(".card.chosen")) card.classList.remove("chosen");
    const card = n ? F.get(`source-${id}-${n}`) : button.closest(".card");
    card?.classList.add("chosen");
    card?.scrollIntoView({ block: "nearest", behavior: F.calm() });
    F.openPlace(name, Number(start), Number(end), true);
    F.showPane("document");
  };
  F.actions.example = (button) => F.ask(button.dataset.question);
  F.actions["turn-copy"] = async (button) => {
    const turn = F.turnOf(button);
    try {
      await navigator.clipboard.writeText(F.asMarkdown([turn]));
      F.say(F.both("copied"));
    } catch { F.download("fiche.md", F.asMarkdown([turn]), "text/markdown"); }
  };

  F.onstart.push(() => {
    const field = F.get("question");
    const grow = () => {
      field.style.height = "auto";
      field.style.height = `${Math.min(field.scrollHeight + 2, 200)}px`;
    };
    const submit = () => {
      if (waiting || !field.value.trim()) return;
      F.ask(field.value);
      field.value = "";
      grow();
    };
    F.get("composer").addEventListener("submit", (event) => { event.preventDefault(); submit(); });
    field.addEventListener("input", grow);
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); submit(); }
    });
    F.get("turns").addEventListener("click", (event) => {
      const turn = F.turnOf(event.target);
      if (turn && !event.target.closest("[data-do]")) F.showSources(turn);
    });
  });
})();
