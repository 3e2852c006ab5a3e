// The simulator's page. Everything a bot or a person wrote is put in place with textContent, never as HTML.
// It tells its other parts what happens by events of the document: "chat" (another one was chosen) and "replied".

const WAITING_MS = 400; // between two looks while a reply is due
const IDLE_MS = 3000;
const UNREACHABLE_MS = 2500;
const HINT_AFTER_SECONDS = 10;

const byId = (id) => document.getElementById(id);
const { sendUrl, updatesUrl, documentUrl, csrfToken } = document.body.dataset;
const words = JSON.parse(byId("words").textContent);
const [stage, list, composer, input] = ["stage", "messages", "composer", "text"].map(byId);
const [bot, person] = ["bot", "person"].map(byId);

// What belongs to the chat on screen; another choice starts anew, and late answers for the former are dropped.
let chat;
let timer = 0;
let sending = Promise.resolve();

function newChat() {
  chat = { bot: bot.value, person: person.value, bubbles: new Map(), unsettled: new Set(), last: null, due: 0, sent: 0, replied: true };
  list.replaceChildren();
  for (const id of ["typing", "hint", "slow", "silent", "problem", "welcome"]) byId(id).hidden = true;
  tell("chat");
}

function tell(what) {
  document.dispatchEvent(new CustomEvent(what, { detail: { bot: chat.bot, person: chat.person } }));
}

// --- bubbles ---

function show(message) {
  const atEnd = stage.scrollHeight - stage.scrollTop - stage.clientHeight < 120;
  const bubble = chat.bubbles.get(message.key) ?? addBubble(message.key);
  bubble.className = message.mine ? "mine" : "reply";
  const [text, file] = [".text", ".file"].map((part) => bubble.querySelector(part));
  text.textContent = message.text;
  text.hidden = Boolean(message.filename);
  file.hidden = !message.filename;
  if (message.filename) {
    file.querySelector("a").href = documentUrl.replace("/0/", `/${message.id}/`);
    file.querySelector("a").textContent = message.filename;
    file.querySelector("small").textContent = `${message.size.toLocaleString()} ${words.bytes}`;
  }
  const time = bubble.querySelector("time");
  time.dateTime = message.at;
  time.textContent = new Date(message.at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  time.title = new Date(message.at).toLocaleString();
  const status = bubble.querySelector(".status");
  status.textContent = message.status ?? "";
  status.classList.toggle("bad", Boolean(message.problem));
  bubble.querySelector(".cost").textContent = message.cost ?? "";
  const ask = bubble.querySelector(".ask");
  ask.parentElement.hidden = !message.has_story;
  ask.dataset.id = message.id ?? "";
  // Who has it open is shown what is new (story.js).
  if (ask.dataset.status !== message.status) ask.dispatchEvent(new Event("moved", { bubbles: true }));
  ask.dataset.status = message.status ?? "";
  if (atEnd || message.mine) scrollToEnd();
  return bubble;
}

function addBubble(key) {
  const bubble = byId("bubble").content.firstElementChild.cloneNode(true);
  chat.bubbles.set(key, bubble);
  list.append(bubble);
  byId("welcome").hidden = true;
  return bubble;
}

function scrollToEnd() {
  stage.scrollTop = stage.scrollHeight;
}

function complain(text) {
  byId("problem").textContent = text;
  byId("problem").hidden = !text;
  if (text) scrollToEnd();
}

// --- talking to the server ---

async function request(url, options = {}) {
  const response = await fetch(url, { credentials: "same-origin", cache: "no-store", ...options });
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw Object.assign(new Error(body.error ?? words.refused), { answered: true });
  return body;
}

async function update() {
  clearTimeout(timer);
  const mine = chat;
  if (!mine.bot || document.hidden) return;
  const query = new URLSearchParams({ bot: mine.bot, person: mine.person });
  if (mine.last !== null) query.set("after", Math.min(mine.last, ...[...mine.unsettled].map((id) => id - 1)));
  const sent = mine.sent;
  let pause = UNREACHABLE_MS;
  try {
    const news = await request(`${updatesUrl}?${query}`);
    // What was asked before the newest message was stored knows nothing of it.
    if (mine !== chat || sent !== mine.sent) return;
    if (mine.complained) complain("");
    mine.complained = false;
    take(news);
    pause = chat.due || chat.unsettled.size ? WAITING_MS : IDLE_MS;
  } catch (error) {
    if (mine !== chat) return;
    mine.complained = true;
    complain(error.answered ? error.message : words.unreachable);
  }
  clearTimeout(timer);
  timer = setTimeout(update, pause);
}

function take(news) {
  const first = chat.last === null;
  const waited = chat.due + chat.unsettled.size;
  chat.last = Math.max(chat.last ?? 0, news.last);
  for (const message of news.messages) {
    const known = chat.bubbles.has(message.key);
    show(message);
    if (message.mine) continue;
    chat.replied ||= !known;
    chat.unsettled[message.settled ? "delete" : "add"](message.id);
  }
  if (news.pending) chat.replied = false;
  chat.due = news.pending;
  byId("welcome").hidden = chat.bubbles.size > 0;
  byId("typing").hidden = !news.pending;
  const late = news.pending > 0 && news.waited_seconds > HINT_AFTER_SECONDS;
  byId("hint").hidden = !late || news.working || Boolean(document.body.dataset.paused);
  byId("slow").hidden = !late || !news.working;
  byId("silent").hidden = news.pending > 0 || chat.replied;
  if (first || news.pending) scrollToEnd();
  if (chat.clearing && chat.replied) keepTheLast();
  if (waited && !chat.due && !chat.unsettled.size) tell("replied");
}

// After /reset: what was said before is forgotten, here as well.
function keepTheLast() {
  chat.clearing = false;
  const last = list.lastElementChild;
  for (const [key, bubble] of chat.bubbles) if (bubble !== last) chat.bubbles.delete(key);
  list.replaceChildren(last);
}

function send(text) {
  const mine = chat;
  const draft = `draft-${crypto.getRandomValues(new Uint32Array(2)).join("")}`;
  show({ key: draft, mine: true, text, at: new Date().toISOString(), status: words.sending });
  byId("silent").hidden = true;
  // One after another: what was written first arrives first.
  sending = sending.then(() => deliver(mine, draft, text));
}

async function deliver(mine, draft, text) {
  const bubble = mine.bubbles.get(draft);
  mine.bubbles.delete(draft);
  try {
    const { message } = await request(sendUrl, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": csrfToken },
      body: JSON.stringify({ bot: mine.bot, person: mine.person, text }),
    });
    if (mine !== chat) return;
    mine.bubbles.get(message.key)?.remove(); // an update saw it before we were told
    mine.bubbles.set(message.key, bubble);
    complain("");
    show(message);
    byId("typing").hidden = false;
    mine.replied = false;
    mine.sent += 1;
    mine.due = 1;
    update();
    return true;
  } catch (error) {
    if (mine !== chat) return;
    bubble.remove();
    complain(error.answered ? error.message : words.unsent);
    input.value = [text, input.value].filter(Boolean).join("\n");
    grow();
  }
}

// --- what a person does ---

function grow() {
  input.style.height = "auto";
  input.style.height = `${input.scrollHeight}px`;
}

input.addEventListener("input", grow);

input.addEventListener("keydown", (event) => {
  // While an input method composes a character, Enter belongs to it.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  composer.requestSubmit();
});

composer.addEventListener("submit", (event) => {
  event.preventDefault();
  input.focus();
  const text = input.value.trim();
  if (!text || !chat.bot) return;
  input.value = "";
  grow();
  send(text);
});

byId("choices").addEventListener("submit", (event) => event.preventDefault());
byId("choices").addEventListener("change", ({ target }) => {
  if (target !== bot && target !== person) return;
  const address = new URLSearchParams({ bot: bot.value, person: person.value });
  history.replaceState(null, "", `?${address}`);
  newChat();
  update();
  input.focus();
});

byId("welcome").addEventListener("click", ({ target }) => {
  for (const text of target.dataset.say?.split("\n") ?? []) send(text);
});

byId("again").addEventListener("click", () => {
  const mine = chat;
  send("/reset");
  sending.then((delivered) => { mine.clearing = delivered; });
  input.focus();
});

document.addEventListener("visibilitychange", update);

newChat();
if (!chat.bot) byId("welcome").hidden = false;
update();
