// What expressions in unfold's templates name. Alpine's CSP build evaluates none of them as a script, and lets them
// reach nothing of the browser but what stands here (docs/decisions/0021-no-unsafe-eval.md).
"use strict";

document.addEventListener("alpine:init", () => {
  // unfold's own components are functions of its app.js.
  for (const name of ["theme", "searchForm", "searchDropdown", "searchCommand"]) {
    window.Alpine.data(name, (...options) => window[name](...options));
  }

  // The page itself: as unfold's body has it. tab is the tab that is open at first, where there is a form.
  window.Alpine.data("page", (tab = "") => ({
    activeTab: tab,
    sidebarMobileOpen: false,
    sidebarDesktopOpen: (localStorage.getItem("sidebarDesktopOpen") ?? "1") === "1",
    init() {
      if (tab) this.activeTab = window.getCurrentTab() || tab;
      this.$watch("sidebarDesktopOpen", (open) => localStorage.setItem("sidebarDesktopOpen", open ? "1" : "0"));
    },
    // Where the page is, and no more of the window than that.
    window: {
      location: {
        get pathname() { return location.pathname; },
        get search() { return location.search; },
      },
    },
    sortRecords: (...event) => window.sortRecords(...event),
  }));
});
