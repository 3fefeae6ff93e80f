// Asks for what is chosen, and again whenever the file has changed.
(() => {
  "use strict";
  const get = (id) => document.getElementById(id);
  const form = get("question");
  const fields = form.elements;
  const start = JSON.parse(get("start").textContent);
  const choices = new Map(); // what was asked of each function
  let functions = [];
  const asked = { about: 0, build: 0 }; // the newest question of a kind: an older one's answer is not shown

  function remembered() {
    const state = new URLSearchParams(location.hash.slice(1));
    const from = state.has("function") ? Object.fromEntries(state) : start;
    for (const name of ["function", "wrt", "args", "show"]) if (from[name]) fields[name].dataset.wish = from[name];
  }

  // The file: its functions, or what keeps it from being imported
  async function open() {
    const about = await ask("about", "");
    if (!about) return;
    if (about.failed) return show(about);
    functions = about.functions;
    const wish = fields.function.dataset.wish || fields.function.value;
    fields.function.replaceChildren(...functions.map((each) => new Option(each.name, each.name)));
    if (functions.some((each) => each.name === wish)) fields.function.value = wish;
    for (const name of ["wrt", "args"])
      if (fields[name].dataset.wish) fields[name].value = fields[name].dataset.wish;
    const stage = (fields.show.dataset.wish || "").startsWith("stage ");
    if (stage) get("stages").replaceChildren(new Option(fields.show.dataset.wish.slice(6), fields.show.dataset.wish));
    if (fields.show.dataset.wish) fields.show.value = fields.show.dataset.wish;
    for (const field of fields) delete field.dataset.wish;
    if (!functions.length) return show({ user: about.user || "", message: "The file has no functions." });
    await build();
  }

  async function build() {
    const question = Object.fromEntries(["function", "wrt", "args", "show"].map((name) => [name, fields[name].value]));
    choices.set(question.function, { wrt: question.wrt, args: question.args });
    history.replaceState(null, "", `#${new URLSearchParams(question)}`);
    const known = functions.find((each) => each.name === question.function);
    fields.wrt.placeholder = (known && known.wrt) || "first";
    fields.args.title = known ? `${known.name}${known.signature}` : "";
    const answer = await ask("build", `?${new URLSearchParams(question)}`);
    if (answer) show(answer);
  }

  async function ask(kind, query) {
    const number = ++asked[kind];
    get("state").textContent = "Working…";
    document.querySelector(".panes").classList.add("stale");
    try {
      const answer = await (await fetch(kind + query)).json();
      if (number !== asked[kind] || answer.stale) return null;
      return answer;
    } catch {
      if (number === asked[kind]) get("state").textContent = "The explorer has ended.";
      return null;
    }
  }

  function show(answer) {
    const before = new Set([...document.querySelectorAll("#generated .line code")].map((code) => code.textContent));
    const list = () => document.querySelector("#user .lines");
    const scrolled = list() ? list().scrollTop : null;
    const focused = document.activeElement && document.activeElement.id;
    if (answer.user) get("user").innerHTML = answer.user;
    get("generated").innerHTML = answer.generated || "";
    get("message").hidden = !answer.message;
    get("message").textContent = answer.message || "";
    if (answer.stages) offerStages(answer.stages);
    if (before.size)
      for (const line of document.querySelectorAll("#generated .line"))
        if (!before.has(line.querySelector("code").textContent)) line.classList.add("fresh");
    document.querySelector(".panes").classList.remove("stale");
    get("state").textContent = answer.failed ? "Not compiled" : "Up to date";
    srcgradPage.wire();
    srcgradPage.draw();
    if (list() && scrolled !== null) list().scrollTop = scrolled;
    const fault = document.querySelector(".fault");
    if (fault) inSight(fault);
    else if (scrolled === null) goToFunction();
    if (/^[uge]\d/.test(focused) && get(focused)) get(focused).focus({ preventScroll: true });
  }

  function offerStages(names) {
    const chosen = fields.show.value;
    get("stages").replaceChildren(...names.map((name) => new Option(name, `stage ${name}`)));
    fields.show.value = chosen;
  }

  function inSight(line) {
    const list = line.closest(".lines");
    const [a, b] = [line.getBoundingClientRect(), list.getBoundingClientRect()];
    if (a.top < b.top || a.bottom > b.bottom) list.scrollTop += a.top - b.top - 40;
  }

  function goToFunction() {
    const known = functions.find((each) => each.name === fields.function.value);
    const line = known && get(`u0-${known.line}`);
    if (line) inSight(line);
  }

  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("change", (event) => {
    if (event.target === fields.function) {
      const known = choices.get(fields.function.value) || { wrt: "", args: "" };
      [fields.wrt.value, fields.args.value] = [known.wrt, known.args];
      goToFunction();
    }
    if (functions.length) build(); // else the file is being opened, which asks for what stands in the form
  });

  remembered();
  let version = null;
  const events = new EventSource("events");
  events.onmessage = (event) => {
    if (event.data !== version) open();
    version = event.data;
  };
  events.onerror = () => { get("state").textContent = "The explorer has ended."; };
})();
