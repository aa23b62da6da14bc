(() => {
  "use strict";
  const root = document.documentElement;
  const find = (selector) => document.querySelector(selector);
  const all = (selector, within) => Array.from((within || document).querySelectorAll(selector));
  const tasks = all(".task");

  // the scheme: what the reader's system wants, until the button says otherwise; nothing is kept
  const scheme = find("#scheme");
  const prefersDark = window.matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.scheme || (prefersDark.matches ? "dark" : "light")) === "dark";
  const tellScheme = () => scheme.setAttribute("aria-pressed", String(isDark()));
  scheme.hidden = false;
  scheme.addEventListener("click", () => {
    root.dataset.scheme = isDark() ? "light" : "dark";
    tellScheme();
  });
  prefersDark.addEventListener("change", tellScheme);
  tellScheme();

  // a link to a task opens it
  const reveal = () => {
    let target = null;
    try {
      target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    } catch {
      return;
    }
    if (!target || !target.classList.contains("task")) return;
    if (target.hidden) { isWhole = true; clear(); }
    target.open = true;
    target.firstElementChild.focus({ preventScroll: true });
    target.scrollIntoView({ block: "start" });
  };
  window.addEventListener("hashchange", reveal);
  document.addEventListener("click", (event) => {
    const link = event.target.closest && event.target.closest("a");
    if (link && link.getAttribute("href") === location.hash) reveal();
  });

  // on paper everything is open
  let closed = [];
  window.addEventListener("beforeprint", () => {
    closed = all("details:not([open])");
    closed.forEach((one) => { one.open = true; });
  });
  window.addEventListener("afterprint", () => {
    closed.forEach((one) => { one.open = false; });
    closed = [];
  });

  const filter = find("#filter");
  const wanted = { health: new Set(), action: new Set() };
  const choices = all(".choices button");
  const most = 200;
  let isWhole = tasks.length <= most;
  const more = find(".more");
  const apply = () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const task of tasks) {
      const fits = words.every((word) => task.dataset.words.includes(word))
        && ["health", "action"].every((kind) => !wanted[kind].size || wanted[kind].has(task.dataset[kind]));
      shown += fits ? 1 : 0;
      task.hidden = !fits || (!isWhole && shown > most);
    }
    more.hidden = isWhole || shown <= most;
    more.textContent = `Show ${shown - most} more`;
    find(".nothing").hidden = shown > 0;
    const all = `${tasks.length} ${tasks.length === 1 ? "task" : "tasks"}`;
    find("#count").textContent = shown === tasks.length ? all : `${shown} of ${all}`;
  };
  const clear = () => {
    filter.value = "";
    for (const kind of Object.keys(wanted)) wanted[kind].clear();
    choices.forEach((button) => button.setAttribute("aria-pressed", "false"));
    apply();
  };
  if (filter) {
    find(".filter").hidden = false;
    filter.addEventListener("input", apply);
    for (const button of choices) {
      button.addEventListener("click", () => {
        const { kind, value } = button.dataset;
        const isWanted = !wanted[kind].has(value);
        if (isWanted) wanted[kind].add(value); else wanted[kind].delete(value);
        button.setAttribute("aria-pressed", String(isWanted));
        apply();
      });
    }
    more.addEventListener("click", () => {
      const next = visible().length;
      isWhole = true;
      apply();
      visible()[next].firstElementChild.focus();
    });
    apply();
  }

  // keys: / to the filter, j k and arrows from task to task, Escape closes
  const visible = () => tasks.filter((task) => !task.hidden);
  const go = (step) => {
    const listed = visible();
    if (!listed.length) return;
    const inside = document.activeElement && document.activeElement.closest(".task");
    const at = inside ? listed.indexOf(inside) : step > 0 ? -1 : listed.length;
    const next = listed[Math.min(Math.max(at + step, 0), listed.length - 1)];
    next.firstElementChild.focus();
  };
  const escape = () => {
    if (document.activeElement === filter) {
      if (filter.value) clear(); else filter.blur();
      return true;
    }
    let open = document.activeElement && document.activeElement.closest("details[open]");
    if (!open) return false;
    open.open = false;
    open.firstElementChild.focus();
    return true;
  };
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const at = document.activeElement;
    const types = at && at.matches("input, textarea, select");
    const onTask = at && at.matches(".task > summary");
    let done = true;
    if (event.key === "Escape") done = escape();
    else if (at === filter && event.key === "ArrowDown") go(1);
    else if (types) done = false;
    else if (event.key === "/" && filter) { filter.focus(); filter.select(); }
    else if (event.key === "j") go(1);
    else if (event.key === "k") go(-1);
    else if (event.key === "ArrowDown" && onTask) go(1);
    else if (event.key === "ArrowUp" && onTask) go(-1);
    else done = false;
    if (done) event.preventDefault();
  });

  reveal();
})();
