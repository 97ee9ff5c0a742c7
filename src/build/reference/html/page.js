"use strict";

// How well a name and a description have all words in them, the lower the better; null where one is in neither.
// `voevent-build options --search` does the same (search.rs); the same cases test both.
function rank(name, description, words) {
  name = name.toLowerCase();
  description = description.toLowerCase();
  const wanted = words.toLowerCase().split(/\s+/).filter((word) => word !== "");
  if (wanted.length === 0) return null;
  let sum = 0;
  for (const word of wanted) {
    const one = rankWord(name, description, word);
    if (one === null) return null;
    sum += one;
  }
  return sum;
}

function rankWord(name, description, word) {
  const parts = name.split(".");
  if (name === word || parts[parts.length - 1] === word) return 0;
  if (parts.includes(word)) return 1;
  if (parts.some((part) => part.startsWith(word))) return 2;
  if (name.includes(word)) return 3;
  if (description.split(/[^\p{Alphabetic}\p{N}]+/u).includes(word)) return 4;
  if (description.includes(word)) return 5;
  return null;
}

// Of entries `[name, description, …]` those that have all words: the best first, equals in their order.
function search(entries, words) {
  const found = [];
  for (const entry of entries) {
    const one = rank(entry[0], entry[1], words);
    if (one !== null) found.push([one, entry]);
  }
  found.sort((a, b) => a[0] - b[0]);
  return found.map((pair) => pair[1]);
}

const SHOWN = 30;

function start() {
  const at = (id) => document.getElementById(id);
  const entries = JSON.parse(at("index").textContent);
  const [form, input, results, contents] = ["search", "words", "results", "contents"].map(at);
  let selected = 0;

  const make = (name, text) => {
    const element = document.createElement(name);
    element.textContent = text;
    return element;
  };
  const close = () => {
    results.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const select = (index) => {
    const items = [...results.querySelectorAll("[role=option]")];
    if (items.length === 0) return;
    selected = (index + items.length) % items.length;
    items.forEach((item, other) => item.setAttribute("aria-selected", String(other === selected)));
    items[selected].scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", items[selected].id);
  };
  const show = () => {
    if (input.value.trim() === "") return close();
    const found = search(entries, input.value);
    results.replaceChildren();
    found.slice(0, SHOWN).forEach(([name, description, kind, id], index) => {
      const item = document.createElement("li");
      item.id = `result-${index}`;
      item.setAttribute("role", "option");
      const link = document.createElement("a");
      link.href = `#${id}`;
      link.tabIndex = -1;
      link.append(make("b", name), make("i", kind));
      if (description !== "") link.append(make("span", description));
      item.append(link);
      results.append(item);
    });
    if (found.length === 0) results.append(make("p", "Nothing has all of these words."));
    if (found.length > SHOWN) results.append(make("p", `${found.length - SHOWN} more: add a word.`));
    results.hidden = false;
    input.setAttribute("aria-expanded", "true");
    select(0);
  };

  form.hidden = false;
  const wide = matchMedia("(min-width: 62rem)");
  contents.open = wide.matches;
  wide.addEventListener("change", () => { contents.open = wide.matches; });
  input.addEventListener("input", show);
  input.addEventListener("focus", show);
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") select(selected + 1);
    else if (event.key === "ArrowUp") select(selected - 1);
    else if (event.key === "Escape") { input.value = ""; close(); input.blur(); }
    else return;
    event.preventDefault();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const link = results.querySelector("[aria-selected=true] a");
    if (link && !results.hidden) link.click();
  });
  results.addEventListener("click", (event) => {
    if (event.target.closest("a")) { close(); input.blur(); }
  });
  contents.addEventListener("click", (event) => {
    if (event.target.closest("a") && !wide.matches) contents.open = false;
  });
  document.addEventListener("click", (event) => {
    if (!form.contains(event.target)) close();
  });
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest && event.target.closest("input, textarea, select");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      input.focus();
      input.select();
    }
  });
}

if (typeof document !== "undefined") start();
