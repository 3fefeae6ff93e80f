// Lines and their partners: what is pointed at, focused or kept shows both. Only generated lines name their partners.
(() => {
  "use strict";
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const status = () => document.querySelector("[role=status]");
  let partners = new Map(); // a line's id -> the ids on the other side
  let kept = null;

  // Called again where the lines were replaced
  function wire() {
    partners = new Map();
    kept = null;
    const link = (a, b) => partners.set(a, [...(partners.get(a) || []), b]);
    for (const line of all(".line[data-to]"))
      for (const to of line.dataset.to.split(" ").filter(Boolean)) {
        link(line.id, to);
        link(to, line.id);
      }
    for (const list of all(".lines")) {
      const first = list.querySelector(".line.pinned, .line:not(.unmapped)") || list.querySelector(".line");
      if (first) first.tabIndex = 0;
    }
    show(null);
  }

  const line = (id) => document.getElementById(id);
  const shown = (id) => line(id) && line(id).offsetParent !== null;
  const related = (id) => (partners.get(id) || []).filter(shown);

  // A generated line's partners, and its neighbours' that share them: the whole family of the user's line
  function show(id) {
    for (const each of all(".near")) each.classList.remove("near");
    for (const each of [id, kept].filter(Boolean)) {
      const ids = [each, ...related(each)];
      for (const near of ids) line(near).classList.add("near");
      for (const user of ids.filter((one) => one[0] === "u"))
        for (const node of all(`.canvas .node.at-${user}`)) node.classList.add("near");
    }
  }

  function keep(id) {
    if (kept && line(kept)) {
      line(kept).classList.remove("pinned");
      line(kept).setAttribute("aria-selected", "false");
    }
    kept = id;
    if (id) {
      line(id).classList.add("pinned");
      line(id).setAttribute("aria-selected", "true");
      const ids = related(id);
      if (ids.length) reveal(line(ids[0]));
      const numbers = ids.map((one) => one.split("-")[1]);
      status().textContent = !ids.length
        ? "This line has no partner on the other side."
        : id[0] === "g"
          ? `From line ${numbers.join(", ")} of the function.`
          : `Line ${numbers.join(", ")} of the generated text.`;
    }
    show(id);
  }

  // Scrolls the line's own pane, and the page only where the pane is out of sight
  function reveal(target) {
    const list = target.closest(".lines");
    const [a, b] = [target.getBoundingClientRect(), list.getBoundingClientRect()];
    if (a.top < b.top || a.bottom > b.bottom) list.scrollTop += a.top - b.top - list.clientHeight / 2;
  }

  function focus(target) {
    if (!target) return;
    for (const other of all(".line[tabindex='0']", target.closest(".lines"))) other.tabIndex = -1;
    target.tabIndex = 0;
    target.focus({ preventScroll: true });
    target.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  function across(id) {
    if (related(id).length) return line(related(id)[0]);
    // no partner: the first line on the other side
    const side = line(id).closest(".pane");
    return all(".pane .line:not(.unmapped)").find((each) => each.closest(".pane") !== side && shown(each.id));
  }

  document.addEventListener("mouseover", (event) => {
    const over = event.target.closest?.(".line");
    if (over) return show(over.id);
    const node = event.target.closest?.(".canvas .node");
    const at = node && [...node.classList].find((name) => name.startsWith("at-"));
    show(at && line(at.slice(3)) ? at.slice(3) : null);
  });

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a.ref");
    if (link && line(link.hash.slice(1))) {
      keep(link.hash.slice(1));
      return focus(line(link.hash.slice(1)));
    }
    const node = event.target.closest(".canvas .node");
    const at = node && [...node.classList].find((name) => name.startsWith("at-"));
    if (at && line(at.slice(3))) {
      event.preventDefault();
      keep(at.slice(3));
      return reveal(line(at.slice(3)));
    }
    const over = event.target.closest(".line");
    if (over && !String(getSelection())) {
      focus(over);
      return keep(kept === over.id ? null : over.id);
    }
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.do === "theme") theme(dark() ? "light" : "dark");
    if (button.dataset.do === "print") print();
    if (button.dataset.show) choose(button);
  });

  document.addEventListener("focusin", (event) => {
    const over = event.target.closest(".line");
    if (over) show(over.id);
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") return keep(null);
    const at = event.target.closest?.(".line");
    if (!at || event.ctrlKey || event.metaKey || event.altKey) return;
    const lines = all(".line", at.closest(".lines"));
    const target = {
      ArrowDown: at.nextElementSibling,
      ArrowUp: at.previousElementSibling,
      Home: lines[0],
      End: lines[lines.length - 1],
      ArrowLeft: at.id[0] === "g" ? across(at.id) : null,
      ArrowRight: at.id[0] === "u" ? across(at.id) : null,
    }[event.key];
    if (event.key === "Enter" || event.key === " ") keep(kept === at.id ? null : at.id);
    else if (target === undefined) return;
    else focus(target);
    event.preventDefault();
  });

  // One of several views, or pictures
  function choose(button) {
    const { show: kind, number } = button.dataset;
    for (const each of all(`button[data-show=${kind}]`)) each.setAttribute("aria-pressed", String(each === button));
    for (const each of all(`[data-${kind}]`)) each.hidden = each.dataset[kind] !== number;
    show(null);
    draw();
  }

  const dark = () =>
    (document.documentElement.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";

  function theme(name) {
    if (name) {
      document.documentElement.dataset.theme = name;
      try { localStorage.setItem("srcgrad-theme", name); } catch { /* a page from the file system may not store */ }
    }
    for (const button of all("[data-do=theme]")) {
      button.textContent = dark() ? "Light" : "Dark";
      button.setAttribute("aria-label", dark() ? "Switch to light colours" : "Switch to dark colours");
      button.removeAttribute("aria-pressed");
    }
  }

  // Graphs that came as text
  let viz = null;
  async function draw() {
    for (const figure of all(".picture")) {
      const text = figure.querySelector("script[type='application/json']");
      if (!text || typeof Viz === "undefined") continue;
      viz = viz || Viz.instance();
      // of the fonts whose widths Viz knows, the one that is as wide as the page's
      const dot = JSON.parse(text.textContent).replace("fontname=monospace", "fontname=Courier");
      const svg = (await viz).renderSVGElement(dot);
      for (const each of all("[id]", svg)) each.removeAttribute("id");
      const canvas = figure.querySelector(".canvas");
      canvas.replaceChildren(svg);
      text.remove();
    }
  }

  let stored = null;
  try { stored = localStorage.getItem("srcgrad-theme"); } catch { /* nothing stored */ }
  theme(stored === "dark" || stored === "light" ? stored : null);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => theme(null));
  wire();
  draw();
  window.srcgradPage = { wire, draw, keep };
})();
