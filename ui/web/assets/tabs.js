// The tabs Documents and Evaluate: what is indexed, what was measured, what users said.
(() => {
  const F = window.fiche;
  let polling = null;

  F.opened = (name) => {
    if (name === "documents") showDocuments();
    if (name === "evaluate") showEvaluation();
  };
  const content = async (file) => {
    const bytes = new Uint8Array(await file.arrayBuffer());
    let text = "";
    for (let i = 0; i < bytes.length; i += 32768) text += String.fromCharCode(...bytes.subarray(i, i + 32768));
    return btoa(text);
  };
  const upload = async (input, method) => {
    const file = input.files[0];
    if (!file) { input.focus(); return F.say(F.both("no_file"), "bad"); }
    const most = Number(F.app.dataset.most);
    if (file.size > most) return F.say(F.both("add_hint", { megabytes: most / 1e6 }), "bad");
    const reply = await F.call(method, { name: file.name, content: await content(file) });
    if (reply) { input.value = ""; F.get(`${input.id}-name`).replaceChildren(F.both("no_file")); }
    return reply;
  };
  const date = (text, style) => F.date(text.replace(" UTC", "Z").replace(" ", "T"), style);

  // A task of the program: its progress until it ends, then what came of it.
  const follow = (place, ended, failed) => {
    clearInterval(polling);
    const bar = F.h("progress", { max: 1, ...F.named("busy") });
    const count = F.h("span", { class: "count" });
    const stop = F.h("button", { type: "button", class: "quiet" }, F.both("stop"));
    stop.addEventListener("click", () => F.call("job", { stop: true }));
    place.replaceChildren(F.both("busy"), bar, count, stop);
    F.speak(place);
    polling = setInterval(async () => {
      const job = await F.call("job");
      if (!job) return clearInterval(polling);
      if (job.total) { bar.value = job.done / job.total; count.textContent = `${job.done} / ${job.total}`; }
      if (job.running) return;
      clearInterval(polling);
      place.replaceChildren();
      if (job.error && failed) failed(job.error);
      else if (job.error) place.replaceChildren(F.h("p", { class: "error", role: "alert" }, F.pair(job.error)));
      else ended(job.result);
    }, 1000);
  };

  // Files one after another, and a line about each.
  const addDocument = async (file) => {
    const most = Number(F.app.dataset.most);
    if (file.size > most) return F.both("add_hint", { megabytes: most / 1e6 });
    let reply = null;
    try { reply = await F.server.add_document({ name: file.name, content: await content(file) }); } catch { /* told below */ }
    if (!reply || reply.error) return reply?.error?.nl ? F.pair(reply.error) : F.trouble();
    if (!reply.running) return F.both(`fate_${reply.fate}`);
    return new Promise((told) => follow(F.get("index-job"),
      (result) => told(F.both(result ? `fate_${reply.fate}` : "fate_stopped")), (error) => told(F.pair(error))));
  };
  const addDocuments = async (input) => {
    if (!input.files.length) { input.focus(); return F.say(F.both("no_file"), "bad"); }
    const files = [...input.files];
    F.get("outcomes").replaceChildren();
    for (const file of files) {
      const line = F.h("li", {}, F.h("strong", {}, file.name), ": ");
      F.get("outcomes").append(line);
      line.append(await addDocument(file));
    }
    input.value = "";
    F.get(`${input.id}-name`).replaceChildren(F.both("no_file"));
    showDocuments();
  };

  const showDocuments = async () => {
    const state = await F.refreshDocuments();
    if (!state) return;
    const row = (d) => F.h("article", { class: "row" },
      F.h("div", {}, F.h("h3", { lang: "nl" }, d.title), F.h("p", { class: "hint" }, F.h("code", {}, d.id), " · ", F.both("size_value", d))),
      F.h("div", { class: "group" },
        F.h("button", { type: "button", class: "link", "data-do": "document-open", "data-id": d.id }, F.both("read"), F.h("span", { class: "sr" }, `: ${d.title}`)),
        state.documents.length > 1 ? F.h("button", { type: "button", class: "link", "data-do": "document-remove", "data-id": d.id }, F.both("remove"), F.h("span", { class: "sr" }, `: ${d.title}`)) : null));
    F.get("documents").replaceChildren(...state.documents.map(row));
    const facts = [["indexed", date(state.created)], ["model", state.model], ["snapshot", state.snapshot]];
    F.get("index-facts").replaceChildren(...facts.map(([key, value]) => F.h("div", {}, F.h("dt", {}, F.both(key)), F.h("dd", {}, value))));
    if (state.job.running && state.job.kind === "index") follow(F.get("index-job"), indexed);
  };
  const indexed = () => { F.say(F.both("done_index")); showDocuments(); };
  F.actions["document-open"] = async (button) => {
    F.showTab("chat", true);
    F.showPane("document");
    await F.loadDocument(button.dataset.id);
  };
  F.actions["document-remove"] = async (button) => {
    if (!confirm(F.t("remove_sure", { name: button.dataset.id }))) return;
    if (await F.call("remove_document", { id: button.dataset.id })) follow(F.get("index-job"), indexed);
  };

  const showEvaluation = async () => {
    const found = await F.call("evaluation");
    if (!found) return;
    if (!found.installed) return F.get("run-set").replaceChildren(F.both("no_evaluation"));
    const before = F.get("set").value;
    F.get("set").replaceChildren(...found.sets.map((s) => F.h("option", { value: s.name }, `${s.name} (${s.questions})`)));
    if (found.sets.some((s) => s.name === before)) F.get("set").value = before;
    F.get("earlier").replaceChildren(F.h("option", { value: "", "data-key": "compare_none" }), ...found.runs.map((r) => F.h("option", { value: r.name }, `${date(r.date, "medium")} · ${r.set} (${r.questions})`)));
    const runs = found.runs.map((r) => F.h("li", {},
      F.h("span", {}, `${date(r.date, "medium")} · ${r.set} (${r.questions})`),
      F.h("button", { type: "button", class: "link", "data-do": "run-show", "data-name": r.name }, F.both("run_shown"), F.h("span", { class: "sr" }, `: ${r.name}`))));
    F.get("runs").replaceChildren(...(runs.length ? [F.h("details", { class: "runs" }, F.h("summary", {}, F.both("runs")), F.h("ul", {}, ...runs))] : []));
    F.speak(F.get("panel-evaluate"));
    showFeedback(found.lines);
  };
  let reported = null;
  const showReport = async (name, scroll = true) => {
    const found = await F.call("report", { name, lang: F.ui, title: `${F.t("report")}: ${name}` });
    if (!found) return;
    reported = name;
    F.fill(F.get("report"), found.frame);
    if (scroll) F.get("report").scrollIntoView({ block: "start", behavior: F.calm() });
  };
  F.onlanguage.push(() => {
    if (reported) showReport(reported, false);
    if (F.ready && !F.get("panel-documents").hidden) showDocuments();
    if (F.ready && !F.get("panel-evaluate").hidden) showEvaluation();
  });
  F.ontheme = () => F.get("report").querySelector("iframe")?.contentWindow.postMessage({ theme: F.theme() }, "*");
  // The report says how high it is; anything else that a frame may say is not listened to.
  addEventListener("message", (event) => {
    const frame = F.get("report")?.querySelector("iframe");
    const height = Number(event.data?.height);
    if (!frame || event.source !== frame.contentWindow || !(height > 0)) return;
    frame.style.height = `${Math.min(Math.ceil(height) + 2, 200000)}px`;
    F.ontheme();
  });
  F.actions["run-show"] = (button) => showReport(button.dataset.name);

  const showFeedback = (lines) => {
    const rows = lines.map((line) => {
      const id = line.id;
      const question = F.h("input", { type: "text", id: `q-${id}`, value: line.question, maxlength: 2000 });
      const evidence = F.h("textarea", { id: `e-${id}`, rows: 2, lang: "nl" }, (line.evidence || []).join(" "));
      const answerable = F.h("input", { type: "checkbox", id: `a-${id}`, checked: line.answerable });
      const remove = F.h("button", { type: "button", class: "link" }, F.both("delete"), F.h("span", { class: "sr" }, `: ${line.question}`));
      const box = F.h("form", { class: "line" },
        F.h("label", { for: `q-${id}` }, F.both("you_asked")), question,
        F.h("label", { for: `a-${id}`, class: "check" }, answerable, " ", F.both("answerable")),
        F.h("label", { for: `e-${id}` }, F.both("evidence")), evidence,
        F.h("div", { class: "group" }, F.h("button", { type: "submit", class: "primary" }, F.both("save")), remove));
      const change = async (data) => {
        const reply = await F.call("feedback_change", { id, ...data });
        if (reply) { F.say(F.both("saved")); showFeedback(reply.lines); }
      };
      box.addEventListener("submit", (event) => {
        event.preventDefault();
        change({ question: question.value, answerable: answerable.checked, evidence: evidence.value });
      });
      remove.addEventListener("click", () => change({ remove: true }));
      const verdict = (line.tags || []).find((tag) => F.words[tag]);
      return F.h("details", { class: "row" },
        F.h("summary", {}, F.h("span", {}, line.question), F.h("span", { class: "hint" }, verdict ? F.both(verdict) : "", line.complete ? "" : " · ", line.complete ? "" : F.both("incomplete"))), box);
    });
    F.get("feedback").replaceChildren(...(rows.length ? rows : [F.h("p", { class: "hint" }, F.both("feedback_none"))]));
  };

  F.onstart.push(() => {
    for (const input of F.app.querySelectorAll("input[type=file]"))
      input.addEventListener("change", () => {
        F.get(`${input.id}-name`).replaceChildren([...input.files].map((file) => file.name).join(", ") || F.both("no_file"));
      });
    F.get("add-document").addEventListener("submit", async (event) => {
      event.preventDefault();
      await addDocuments(F.get("document-file"));
    });
    F.get("set-file").addEventListener("change", async () => {
      const reply = await upload(F.get("set-file"), "add_set");
      if (!reply) return;
      await showEvaluation();
      F.get("set").value = reply.name;
    });
    F.get("run-set").addEventListener("submit", async (event) => {
      event.preventDefault();
      const data = { name: F.get("set").value, limit: F.get("limit").value, earlier: F.get("earlier").value };
      if (await F.call("run_set", data)) follow(F.get("run-job"), async (name) => { await showEvaluation(); if (name) showReport(name); });
    });
  });
})();
