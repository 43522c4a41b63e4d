"use strict";
// Everything shown comes out of the JSON block and is set as text, never as markup.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const text = (value) => (typeof value === "number" ? data.strings[value] : value);
  const STATES = {
    denied: ["✗", "denied"], unmet: ["✗", "not as required"], audited: ["!", "audit only"], undecided: ["?", "undecided"], waived: ["○", "waived"],
    allowed: ["✓", "allowed"], not_applicable: ["–", "not applicable"],
  };
  const SIGNS = { allows: "✓", denies: "✗", no_match: "·", unknown: "?", skipped: "–" };
  const STEP = 400;
  const PRINTED = 5000;
  const chosen = { state: null, cause: null };
  let found = [];
  let drawn = 0;

  function make(tag, properties, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(properties || {})) {
      if (name === "class") element.className = value;
      else if (name === "text") element.textContent = value;
      else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else element.setAttribute(name, value);
    }
    element.append(...children.filter((child) => child !== null));
    return element;
  }

  function chip(state) {
    const [sign, word] = STATES[state];
    return make("span", { class: "chip " + state }, make("span", { "aria-hidden": "true", text: sign + " " }), word);
  }

  function check(id) {
    const name = data.checks[id] ? id + " " + data.checks[id] : id;
    const known = data.docs && /^[A-Z]+[0-9]+$/.test(id);
    return known ? make("a", { href: data.docs + "/" + id, rel: "noreferrer", text: name }) : make("span", { text: name });
  }

  const stateOf = (row, verdict) =>
    row.waived !== null && (verdict.decision === "denied" || verdict.decision === "undecided") ? "waived"
      : verdict.audited ? "audited" : verdict.decision;
  const ORDER = Object.keys(STATES);
  // Requirements stand beside the verdicts: null where all is met.
  const required = (row) => {
    const broken = row.findings.some((one) => one.level === "error" && /^CSV(4\d\d|806)$/.test(one.check));
    return !broken ? null : row.waived !== null ? "waived" : "unmet";
  };
  const hasRequired = data.rows.some((row) => required(row) !== null);
  const gravest = (row) => [...row.verdicts.map((verdict) => stateOf(row, verdict)), required(row) || "not_applicable"]
    .reduce((worst, state) => (ORDER.indexOf(state) < ORDER.indexOf(worst) ? state : worst), "not_applicable");

  // What the search looks at, made when it is first wanted.
  function haystack(row) {
    if (row.hay === undefined) {
      const words = [row.path, row.sha256, text(row.owner), text(row.version), ...row.findings.flatMap((one) => [one.check, text(one.message)])];
      for (const verdict of row.verdicts) words.push(...verdict.checks, text(verdict.because), text(verdict.rule));
      for (const signature of row.signatures) words.push(...signature.chain.flatMap((index) => [data.certificates[index].subject, data.certificates[index].tbs, data.certificates[index].sha1]));
      row.hay = words.filter(Boolean).join("\n").toLowerCase();
    }
    return row.hay;
  }

  // --- the top of the page ---

  function drawRun() {
    const run = byId("run");
    if (data.inputs.length) run.append(" · " + data.inputs.join(", "));
    if (data.run_url) run.append(" · ", make("a", { href: data.run_url, rel: "noreferrer", text: "the run" }));
    for (const target of data.targets) {
      const policies = target.policies.map((policy) => make("p", { text: policy }));
      const mode = target.mode === "audit" ? "audit: denials are logged, nothing is blocked" : "enforced";
      byId("targets").append(make("li", {}, make("strong", { text: target.name }), make("span", { text: target.engine + ", " + mode }), ...policies));
    }
  }

  function drawCauses() {
    byId("causes-section").hidden = data.causes.length === 0;
    data.causes.forEach((cause, index) => {
      const line = make("p", {}, make("strong", {}, cause.level, " ", check(cause.check)), cause.target ? " for " + cause.target : "");
      const about = [cause.count && cause.key !== null ? cause.count + (cause.count === 1 ? " artifact" : " artifacts") : null, cause.owners ? "owner " + cause.owners : null, cause.place];
      const item = make("li", { class: cause.level }, line, make("p", { text: cause.message }),
        make("p", { class: "aside", text: [...about, cause.help].filter(Boolean).join(" · ") }));
      if (cause.key !== null) {
        item.append(make("button", { type: "button", "aria-label": "Show the artifacts of cause " + (index + 1), text: "Show", onclick: () => choose("cause", cause) }));
      }
      byId("causes").append(item);
    });
  }

  function drawCounts() {
    const counts = Object.fromEntries(ORDER.map((state) => [state, 0]));
    for (const row of data.rows) counts[row.state = gravest(row)] += 1;
    for (const state of ORDER) {
      if (!counts[state]) continue;
      const button = make("button", { type: "button", "aria-pressed": "false", "data-state": state, onclick: () => choose("state", chosen.state === state ? null : state) },
        make("b", { text: String(counts[state]) }), chip(state));
      byId("counts").append(button);
    }
  }

  function drawChoices() {
    byId("target").append(make("option", { value: "", text: "all targets" }), ...data.targets.map((target, index) => make("option", { value: String(index), text: target.name })));
    const owners = [...new Set(data.rows.map((row) => text(row.owner)).filter(Boolean))].sort();
    byId("owner").append(make("option", { value: "", text: "all owners" }), make("option", { value: "-", text: "no owner" }), ...owners.map((owner) => make("option", { value: "=" + owner, text: owner })));
    const columns = ["Artifact", ...data.targets.map((target) => target.name), ...(hasRequired ? ["Requirements"] : []), "Owner"];
    byId("head").append(...columns.map((column) => make("th", { scope: "col", role: "columnheader", text: column })));
  }

  // --- filter ---

  function choose(kind, value) {
    chosen.state = chosen.cause = null;
    chosen[kind] = value;
    if (kind === "cause") {
      for (const id of ["search", "target", "owner"]) byId(id).value = "";
      byId("artifacts").scrollIntoView();
      byId("artifacts").focus({ preventScroll: true });
    }
    apply();
  }

  function matches(row, words, target, owner) {
    const verdicts = target === "" ? row.verdicts : row.verdicts.filter((verdict) => verdict.target === Number(target));
    if (target !== "" && !verdicts.length) return false;
    if (chosen.state !== null && (target === "" ? row.state !== chosen.state : !verdicts.some((verdict) => stateOf(row, verdict) === chosen.state))) return false;
    if (chosen.cause !== null && !row.causes.includes(chosen.cause.key)) return false;
    if (owner === "-" ? row.owner !== null : owner && text(row.owner) !== owner.slice(1)) return false;
    return words.every((word) => haystack(row).includes(word));
  }

  function apply() {
    const words = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const target = byId("target").value;
    const owner = byId("owner").value;
    found = data.rows.filter((row) => matches(row, words, target, owner));
    for (const button of byId("counts").children) button.setAttribute("aria-pressed", String(button.dataset.state === chosen.state));
    byId("rows").replaceChildren();
    drawn = 0;
    draw(STEP);
    const cause = chosen.cause ? " with the cause " + chosen.cause.check : "";
    const left = data.left ? " " + data.left + " more, all without findings, are in the JSON result only." : "";
    byId("shown").textContent = found.length + " of " + data.rows.length + " artifacts" + cause + "." + left;
  }

  // --- rows ---

  function draw(count) {
    const target = byId("rows");
    target.append(...found.slice(drawn, drawn + count).map(drawRow));
    drawn = Math.min(found.length, drawn + count);
    byId("more").hidden = drawn >= found.length;
    byId("more").textContent = "Show more (" + (found.length - drawn) + " left)";
  }

  function drawRow(row) {
    const button = make("button", { type: "button", "aria-expanded": "false", class: "path", text: row.path });
    const line = make("tr", { role: "row" }, make("th", { scope: "row", role: "rowheader" }, button));
    data.targets.forEach((target, index) => {
      const verdict = row.verdicts.find((one) => one.target === index);
      line.append(verdict ? make("td", { role: "cell", "data-label": target.name }, chip(stateOf(row, verdict)))
        : make("td", { role: "cell", class: "empty" }));
    });
    if (hasRequired) {
      const state = required(row);
      line.append(state ? make("td", { role: "cell", "data-label": "Requirements" }, chip(state)) : make("td", { role: "cell", class: "empty" }));
    }
    line.append(make("td", { role: "cell", class: row.owner === null ? "empty" : "", "data-label": "Owner" }, make("span", { class: "owner", text: text(row.owner) || "" })));
    let detail = null;
    button.addEventListener("click", () => {
      const open = button.getAttribute("aria-expanded") !== "true";
      button.setAttribute("aria-expanded", String(open));
      if (open) line.after(detail = detail || drawDetail(row));
      else detail.remove();
    });
    return line;
  }

  const pair = (label, value, css) => (value ? [make("dt", { text: label }), make("dd", css ? { class: css, text: value } : { text: value })] : []);

  function drawDetail(row) {
    const facts = make("dl", {}, ...pair("File", row.kind), ...pair("SHA-256", row.sha256, "digest"), ...pair("Authenticode", row.authenticode, "digest"),
      ...pair("Version", text(row.version)), ...row.gaps.flatMap((gap) => pair("Unknown", gap)), ...pair("Owner", text(row.contact)), ...pair("Waived", text(row.waived)));
    for (const one of row.findings) {
      facts.append(make("dt", { text: one.level }), make("dd", {}, check(one.check), ": " + text(one.message)));
    }
    const parts = row.verdicts.map((verdict) => drawVerdict(row, verdict));
    const signatures = row.signatures.length ? [make("h3", { text: "Signatures" }), ...row.signatures.map(drawSignature)] : [];
    const columns = String(data.targets.length + 2 + (hasRequired ? 1 : 0));
    return make("tr", { class: "detail", role: "row" }, make("td", { colspan: columns, role: "cell" }, facts, ...parts, ...signatures));
  }

  function drawVerdict(row, verdict) {
    const list = make("dl", {}, ...pair("Because", text(verdict.because)), ...pair("Rule", text(verdict.rule)),
      ...verdict.nearest.flatMap((near) => pair("Nearest rule", text(near))), ...verdict.missing.flatMap((missing) => pair("Missing", missing)));
    for (const id of verdict.checks) list.append(make("dt", { text: "Check" }), make("dd", {}, check(id)));
    list.append(...pair("Event", verdict.event ? "the target would log event " + verdict.event : null), ...pair("To mend", text(verdict.help)));
    const box = make("section", {}, make("h3", {}, data.targets[verdict.target].name + " ", chip(stateOf(row, verdict))), list);
    if (verdict.trace.length) {
      const steps = verdict.trace.map(([outcome, rule, because]) => make("li", {}, make("span", { "aria-hidden": "true", text: SIGNS[outcome] + " " }), text(rule) + ": " + outcome.replace("_", " ") + ": " + text(because)));
      if (verdict.left) steps.push(make("li", { text: "… and " + verdict.left + " more steps, all in the JSON result" }));
      box.append(make("details", {}, make("summary", { text: "Trace, " + (verdict.trace.length + verdict.left) + (verdict.trace.length + verdict.left === 1 ? " step" : " steps") }), make("ol", { class: "trace" }, ...steps)));
    }
    return box;
  }

  function drawSignature(signature) {
    const chain = signature.chain.map((index) => drawCertificate(data.certificates[index]));
    if (signature.end) chain.push(make("li", { text: signature.end }));
    const stamp = signature.stamp.map((index) => drawCertificate(data.certificates[index]));
    const inner = make("div", {}, make("ol", { class: "chain" }, ...chain));
    if (signature.time) inner.append(make("p", { text: signature.time }), make("ol", { class: "chain" }, ...stamp));
    for (const problem of signature.problems) inner.append(make("p", { text: "Problem: " + problem }));
    return make("details", {}, make("summary", { text: text(signature.words) }), inner);
  }

  const drawCertificate = (cert) => make("li", {}, make("p", { text: cert.subject }), make("p", { text: "TBS " + cert.tbs }), make("p", { text: cert.about }));

  // --- start ---

  drawRun();
  drawCauses();
  drawCounts();
  drawChoices();
  apply();
  let waiting = 0;
  byId("search").addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(apply, 120); });
  byId("target").addEventListener("change", apply);
  byId("owner").addEventListener("change", apply);
  byId("filter").addEventListener("submit", (event) => { event.preventDefault(); apply(); });
  byId("filter").addEventListener("reset", () => { chosen.state = chosen.cause = null; setTimeout(apply); });
  byId("more").addEventListener("click", () => draw(STEP));
  addEventListener("beforeprint", () => draw(Math.max(0, PRINTED - drawn)));
})();
