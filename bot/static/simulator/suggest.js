// Lists to choose from by keyboard: the commands, while one is being written, and people by name or number.

const byId = (id) => document.getElementById(id);
const { peopleUrl } = document.body.dataset;
const words = JSON.parse(byId("words").textContent);
const SEARCH_AFTER_MS = 150;

// A listbox whose keys are those of a field. items: {label, hint, …}; choose(item) is called for the one that is taken.
class Options {
  constructor(field, list, choose) {
    Object.assign(this, { field, list, choose, items: [], at: 0 });
    field.addEventListener("keydown", (event) => this.onKey(event));
    field.addEventListener("blur", () => this.hide());
    // (A press would take the field its focus before the click arrives.)
    list.addEventListener("pointerdown", (event) => event.preventDefault());
    list.addEventListener("click", ({ target }) => {
      const place = [...list.children].indexOf(target.closest("[role=option]"));
      if (place >= 0) this.take(place);
    });
  }

  show(items) {
    this.items = items;
    this.list.replaceChildren(...items.map((item, place) => this.draw(item, place)));
    this.list.hidden = !items.length;
    if (this.field.role === "combobox") this.field.ariaExpanded = String(!this.list.hidden);
    this.move(0);
  }

  hide() {
    this.show([]);
  }

  draw({ label, hint }, place) {
    const option = Object.assign(document.createElement("li"), { id: `${this.list.id}-${place}`, role: "option" });
    option.append(Object.assign(document.createElement("b"), { textContent: label }));
    if (hint) option.append(" ", Object.assign(document.createElement("small"), { textContent: hint }));
    return option;
  }

  move(to) {
    this.at = this.items.length ? (to + this.items.length) % this.items.length : 0;
    [...this.list.children].forEach((option, place) => { option.ariaSelected = String(place === this.at); });
    const current = this.list.children[this.at];
    this.field[current ? "setAttribute" : "removeAttribute"]("aria-activedescendant", current?.id);
    current?.scrollIntoView({ block: "nearest" });
  }

  take(place) {
    const item = this.items[place];
    this.hide();
    this.choose(item);
  }

  onKey(event) {
    if (this.list.hidden || event.isComposing || event.shiftKey) return;
    const acts = {
      ArrowDown: () => this.move(this.at + 1),
      ArrowUp: () => this.move(this.at - 1),
      Enter: () => this.take(this.at),
      Tab: () => this.take(this.at),
      Escape: () => this.hide(),
    };
    if (!acts[event.key]) return;
    event.preventDefault();
    event.stopImmediatePropagation(); // (Enter would send.)
    acts[event.key]();
  }
}

// --- commands ---

const text = byId("text");
let commands = [];
document.addEventListener("commands", ({ detail }) => { commands = detail; });

const commandOptions = new Options(text, byId("commands"), ({ name, argument }) => {
  text.value = argument ? `${name} ` : name;
  text.focus();
});

text.addEventListener("input", () => {
  const begun = /^\/[\w-]*$/.test(text.value) ? text.value.toLowerCase() : null;
  const fitting = commands.filter(({ name }) => begun !== null && name.startsWith(begun) && name !== begun);
  commandOptions.show(fitting.map((one) => ({ ...one, label: `${one.name} ${one.argument}`.trim(), hint: one.help })));
});

// --- people: a select of the first ones, which a field makes searchable ---

const person = byId("person");
const find = byId("find");
let timer = 0;
let search = 0;

const peopleOptions = new Options(find, byId("found"), ({ phone_number: number, text: label }) => {
  if (number === undefined) return showChosen();
  if (![...person.options].some((option) => option.value === number)) person.add(new Option(label, number));
  person.value = number;
  showChosen();
  person.dispatchEvent(new Event("change", { bubbles: true }));
});

function showChosen() {
  find.value = person.selectedOptions[0]?.text ?? "";
}

function showPeople(people) {
  peopleOptions.show(people.map((one) => ({ ...one, text: one.label, label: one.label.split(" · ")[0], hint: one.label.split(" · ")[1] })));
}

const listed = () => [...person.options].map((option) => ({ phone_number: option.value, label: option.text }));

async function look() {
  const mine = ++search;
  const asked = find.value.trim();
  let people = listed().filter(({ label }) => label.toLowerCase().includes(asked.toLowerCase()));
  if (asked) {
    const response = await fetch(`${peopleUrl}?${new URLSearchParams({ q: asked })}`, { credentials: "same-origin" }).catch(() => null);
    const found = response?.ok ? (await response.json()).people : [];
    const known = new Set(people.map((one) => one.phone_number));
    people = [...people, ...found.filter((one) => !known.has(one.phone_number))];
  }
  if (mine !== search || document.activeElement !== find) return;
  showPeople(people.length ? people : [{ label: words.nobody }]);
}

find.addEventListener("focus", () => {
  find.placeholder = find.value; // who is chosen stays legible, and out of the way of what is searched for
  find.value = "";
  showPeople(listed());
  peopleOptions.move(Math.max(person.selectedIndex, 0));
});
find.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(look, SEARCH_AFTER_MS);
});
find.addEventListener("blur", showChosen);
person.hidden = true;
find.closest("label").htmlFor = find.id;
find.hidden = false;
showChosen();
