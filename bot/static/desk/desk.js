// What the operator's desk adds to django-unfold's scripts.

document.addEventListener("DOMContentLoaded", () => {
  makeReachable(document.body);
  offerCopies();
});

// Menus that unfold opens by a click on a span or an anchor without address: reached and opened by keyboard as well.
function makeReachable(root) {
  for (const one of root.querySelectorAll("span, div, a:not([href])")) {
    if (!one.hasAttribute("x-on:click") || one.querySelector("a[href], button, input")) continue;
    one.setAttribute("role", "button");
    one.tabIndex = 0;
    one.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      one.click();
    });
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
