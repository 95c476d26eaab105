// Thumbs: what was wrong and, if one wants, the right sentence picked in the document.
(() => {
  const F = window.fiche;
  const REASONS = ["wrong_passage", "wrong_answer", "should_refuse"];

  const send = async (turn, verdict, quotes, name) => {
    const { question, lang, citations } = turn.answer;
    const found = await F.call("feedback", {
      question, lang, verdict, quotes, document: name || citations[0]?.document || turn.places[0]?.document || "",
    });
    if (found) F.say(F.both("thanks"));
    return found;
  };
  const chosen = (turn, button) => {
    for (const other of button.closest(".after").querySelectorAll("[data-do=turn-good], [data-do=turn-bad]"))
      other.setAttribute("aria-pressed", String(other === button));
  };

  F.actions["turn-good"] = async (button) => {
    const turn = F.turnOf(button);
    const { abstained, citations } = turn.answer;
    const verdict = abstained ? "good_refusal" : "good";
    if (await send(turn, verdict, citations.map((c) => c.quote))) chosen(turn, button);
  };
  F.actions["turn-bad"] = (button) => {
    const article = button.closest(".turn");
    const open = article.querySelector("form.why");
    if (open) return open.remove();
    article.append(form(F.turnOf(button), button));
    article.querySelector("form.why input").focus();
  };

  const form = (turn, button) => {
    const reasons = turn.answer.abstained ? ["should_answer"] : REASONS;
    const name = `why-${turn.id}`;
    const picked = F.h("p", { class: "picked", hidden: true });
    let sentence = null;
    const pick = F.h("button", { type: "button", class: "link" }, F.both("pick"));
    pick.addEventListener("click", async () => {
      const place = turn.places[0];
      if (place) await F.openPlace(place.document, place.start, place.end, false);
      const found = await F.pickSentence();
      F.showPane("conversation");
      pick.focus();
      if (!found) return;
      sentence = found;
      picked.hidden = false;
      picked.replaceChildren(F.both("picked"), " ", F.h("q", { lang: "nl" }, found.text));
    });
    const cancel = F.h("button", { type: "button", class: "quiet" }, F.both("cancel"));
    const box = F.h("form", { class: "why" },
      F.h("fieldset", {}, F.h("legend", {}, F.both("feedback_why")),
        ...reasons.map((reason, i) => F.h("label", {}, F.h("input", { type: "radio", name, value: reason, checked: i === 0 }), F.h("span", {}, F.both(reason))))),
      picked,
      pick,
      F.h("div", { class: "group" }, F.h("button", { type: "submit", class: "primary" }, F.both("feedback_send")), cancel));
    cancel.addEventListener("click", () => { box.remove(); button.focus(); });
    box.addEventListener("submit", async (event) => {
      event.preventDefault();
      const verdict = new FormData(box).get(name);
      if (!(await send(turn, verdict, sentence ? [sentence.text] : [], sentence?.document))) return;
      box.remove();
      chosen(turn, button);
      button.focus();
    });
    return box;
  };
})();
