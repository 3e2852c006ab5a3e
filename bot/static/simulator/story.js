// What happened until a reply was sent: a panel below its bubble, opened by its button. chat.js draws the bubbles.

const byId = (id) => document.getElementById(id);
const copyOf = (id) => byId(id).content.firstElementChild.cloneNode(true);
const { storyUrl } = document.body.dataset;
const words = JSON.parse(byId("words").textContent);

async function fill(button, panel) {
  const look = (panel.dataset.look = String(Number(panel.dataset.look ?? 0) + 1));
  let story;
  try {
    const url = storyUrl.replace("/0/", `/${button.dataset.id}/`);
    const response = await fetch(url, { credentials: "same-origin", cache: "no-store" });
    story = await response.json().catch(() => ({}));
    if (!response.ok) story = { summary: story.error ?? words.refused, steps: [] };
  } catch {
    story = { summary: words.unknown, steps: [] };
  }
  // (Of two answers the one that was asked for last is the newer, whichever arrives first.)
  if (panel.dataset.look !== look) return;
  panel.querySelector(".summary").textContent = story.summary;
  panel.querySelector("table").hidden = !story.steps.length;
  panel.querySelector("tbody").replaceChildren(...story.steps.flatMap(draw));
}

function draw(step) {
  const row = copyOf("step");
  row.classList.toggle("bad", step.problem);
  row.classList.toggle("moment", !step.took);
  row.querySelector("th").textContent = step.what;
  const time = row.querySelector("time");
  const at = new Date(step.at);
  time.dateTime = step.at;
  time.title = at.toLocaleString();
  time.textContent = at.toLocaleTimeString(document.documentElement.lang, {
    hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, hourCycle: "h23",
  });
  row.querySelector(".took").textContent = step.took;
  const bar = row.querySelector("i").style;
  // What is too short to be seen is drawn wider than it is, and must not leave the scale at its end.
  bar.marginLeft = `min(${step.start * 100}%, 100% - 3px)`;
  if (step.took) bar.width = `${step.length * 100}%`;
  if (!step.detail) return [row];
  const detail = copyOf("detail");
  detail.firstElementChild.textContent = step.detail;
  detail.classList.toggle("bad", step.problem);
  return [row, detail];
}

function panelOf(button) {
  const id = `story-${button.dataset.id}`;
  let panel = byId(id);
  if (!panel) {
    panel = copyOf("story");
    panel.id = id;
    panel.hidden = true;
    panel.setAttribute("aria-label", button.textContent);
    button.closest("li").append(panel);
    button.setAttribute("aria-controls", id);
  }
  return panel;
}

byId("messages").addEventListener("click", ({ target }) => {
  const button = target.closest(".ask");
  if (!button) return;
  const panel = panelOf(button);
  const opens = panel.hidden;
  panel.hidden = !opens;
  button.setAttribute("aria-expanded", String(opens));
  if (!opens) return;
  if (panel.querySelector("table").hidden) panel.querySelector(".summary").textContent = words.looking;
  fill(button, panel).then(() => panel.scrollIntoView({ block: "nearest" }));
});

byId("messages").addEventListener("moved", ({ target }) => {
  if (target.getAttribute("aria-expanded") === "true") fill(target, panelOf(target));
});
