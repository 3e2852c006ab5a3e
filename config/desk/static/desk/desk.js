// What the operator's desk adds to django-unfold's scripts.

document.addEventListener("DOMContentLoaded", () => {
  makeReachable(document.body);
  hideIcons();
  nameSearches();
  leavePlainFiles();
  leadIntoSidebar();
  offerCopies();
});

// Menus that unfold opens by a click on a span or an anchor without address: reached and opened by keyboard as well.
function makeReachable(root) {
  for (const one of root.querySelectorAll("span, div, a:not([href])")) {
    if (!one.hasAttribute("x-on:click") || one.querySelector("a[href], button, input")) continue;
    if (!one.textContent.trim()) continue; // (the rest of the screen, beside an open sheet)
    one.setAttribute("role", "button");
    one.tabIndex = 0;
    one.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      one.click();
      afterDrawing(() => enter(one));
    });
  }
}

// A menu stands before its opener in the page, a sheet at its end: the keyboard is led in, and back by Escape.
function enter(opener) {
  const scope = opener.closest("[x-data]");
  const menus = scope.querySelectorAll("nav[x-show], #changelist-filter");
  const menu = [...menus].find((one) => one.getClientRects().length && !one.contains(opener));
  if (!menu) return;
  menu.querySelector("a[href], button, input, [tabindex='0']")?.focus();
  const leave = (event) => {
    if (event.key !== "Escape") return;
    menu.removeEventListener("keydown", leave);
    if (menu.matches("nav")) opener.click(); // (unfold closes the sheet itself)
    opener.focus();
  };
  menu.addEventListener("keydown", leave);
}

// On a phone the sidebar is opened by a button behind it in the page.
function leadIntoSidebar() {
  for (const opener of document.querySelectorAll('button[x-on\\:click*="sidebarMobileOpen"]')) {
    opener.addEventListener("click", (event) => {
      if (event.detail === 0) afterDrawing(() => document.querySelector("#nav-sidebar a[href]")?.focus()); // (no mouse)
    });
  }
}

// unfold shows what it opens in the next frame.
function afterDrawing(act) {
  requestAnimationFrame(() => requestAnimationFrame(act));
}

// An icon is a word in a font of icons ("arrow_back"): beside other words it is not read out.
function hideIcons() {
  for (const icon of document.querySelectorAll(".material-symbols-outlined")) {
    const holder = icon.closest("a, button, [role=button], label") ?? icon.parentElement;
    if (holder !== icon && (holder.title || holder.ariaLabel || holder.textContent.trim() !== icon.textContent.trim())) {
      icon.ariaHidden = "true";
    }
  }
}

// Search fields (select2) are made later, and know no label: they are given that of the select they stand for.
function nameSearches() {
  if (!document.querySelector(".admin-autocomplete, .unfold-admin-autocomplete")) return;
  new MutationObserver(() => {
    for (const field of document.querySelectorAll("select[id] + .select2 [role=combobox]:not([data-named])")) {
      const label = document.querySelector(`label[for="${field.closest(".select2").previousElementSibling.id}"]`);
      if (!label) continue;
      label.id ||= `${label.htmlFor}-label`;
      field.dataset.named = "";
      field.setAttribute("aria-labelledby", `${label.id} ${field.getAttribute("aria-labelledby") ?? ""}`);
      field.querySelector("[role=textbox]")?.setAttribute("aria-labelledby", label.id);
    }
  }).observe(document.body, { childList: true, subtree: true });
}

// unfold writes the name of a chosen file into a field beside it, which only its own widget has.
function leavePlainFiles() {
  for (const input of document.querySelectorAll("input[type=file]")) {
    if (!input.parentElement.parentElement.parentElement.querySelector("input[type=text]")) input.hasChangeListener = true;
  }
}

// Buttons with data-copy put that text on the clipboard, where the browser allows it (https, or localhost).
function offerCopies() {
  if (!navigator.clipboard) return;
  for (const button of document.querySelectorAll("button[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = button.dataset.done;
    });
  }
}
