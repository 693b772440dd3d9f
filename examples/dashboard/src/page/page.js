// What makes the pages quicker to use. Without it they do the same by their buttons.
"use strict";

// A choice from a list is sent as it is made. With the keyboard each step through the list is a choice: there the button sends it.
for (const select of document.querySelectorAll("select[data-submit]")) {
  let by_keyboard = false;
  select.addEventListener("keydown", () => { by_keyboard = true; });
  select.addEventListener("pointerdown", () => { by_keyboard = false; });
  select.addEventListener("change", () => { if (!by_keyboard) select.form.requestSubmit(); });
}

// Rows of a long table can be found by what is in them.
for (const table of document.querySelectorAll("table[data-search]")) {
  const rows = [...table.tBodies[0].rows];
  if (rows.length < 8) continue;
  const input = document.createElement("input");
  input.type = "search";
  input.className = "search";
  input.placeholder = table.dataset.search;
  input.setAttribute("aria-label", table.dataset.search);
  const told = document.createElement("span");
  told.className = "hidden";
  told.setAttribute("role", "status");
  input.addEventListener("input", () => {
    const wanted = input.value.trim().toLowerCase();
    let shown = 0;
    for (const row of rows) {
      row.hidden = !row.textContent.toLowerCase().includes(wanted);
      if (!row.hidden) shown += 1;
    }
    told.textContent = wanted ? `${shown} of ${rows.length} rows` : "";
  });
  table.closest(".scroll").before(input, told);
}

// What is live is read again, while somebody looks at it.
const live = document.querySelector("[data-live]");
if (live) {
  setInterval(async () => {
    if (document.hidden || live.contains(document.activeElement)) return;
    try {
      const answer = await fetch(location.href, { cache: "no-store" });
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.querySelector("[data-live]");
      if (fresh) live.replaceChildren(...fresh.childNodes);
    } catch {
      // The server is away for a moment: what is there stays.
    }
  }, 5000);
}
