// What stands above the chat: what it has cost, what is left of the person's budget, and ways to the admin.
// Passes the commands of the person on to suggest.js, by the event "commands".

const byId = (id) => document.getElementById(id);
const { aboutUrl } = document.body.dataset;
let asked = 0;

async function look({ bot, person }) {
  const mine = ++asked;
  if (!bot) return;
  const response = await fetch(`${aboutUrl}?${new URLSearchParams({ bot, person })}`, { credentials: "same-origin", cache: "no-store" });
  if (!response.ok) return;
  const about = await response.json();
  if (mine === asked) show(about);
}

function show(about) {
  byId("paused").textContent = about.paused;
  document.body.dataset.paused = about.paused; // (chat.js suspects no missing worker then)
  byId("cost").textContent = about.cost;
  byId("budget").textContent = about.budget;
  byId("budget").classList.toggle("bad", about.over_budget);
  byId("again").hidden = !about.known;
  byId("ways").replaceChildren(...about.links.map(({ text, url }) => Object.assign(document.createElement("a"), { href: url, textContent: text })));
  byId("about").hidden = false;
  document.dispatchEvent(new CustomEvent("commands", { detail: about.commands }));
}

// (Without an answer the page shows what it showed before: chat.js says that the server cannot be reached.)
const lookQuietly = ({ detail }) => look(detail).catch(() => {});
document.addEventListener("chat", () => { byId("about").hidden = true; });
document.addEventListener("chat", lookQuietly);
document.addEventListener("replied", lookQuietly);
