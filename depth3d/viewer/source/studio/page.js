// Small helpers for the page's elements.

export const find = (id) => document.getElementById(id);

/** An element with properties, attributes (aria-*, data-*, role) and children. */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (/^(aria-|data-|role$|for$)/.test(name)) element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children);
  return element;
}

let clearing = 0;
/** Show a line for a while; screen readers read it at once. */
export function toast(text) {
  find("toast").textContent = text;
  clearTimeout(clearing);
  clearing = setTimeout(() => (find("toast").textContent = ""), 7000);
}

export const announce = (text) => (find("announce").textContent = text);

/** Say what the page waits for; an empty text hides it. */
export function busy(text) {
  find("busy").hidden = !text;
  find("busy-text").textContent = text;
}

/** Run an action of a button; its error becomes a line. */
export function guarded(action) {
  return async (...args) => {
    try {
      await action(...args);
    } catch (error) {
      console.warn(error.message);
      toast(error.message);
    }
  };
}

/** A slider with its output; returns a function that sets it. `format` makes the text. */
export function wireSlider(id, format, change) {
  const slider = find(id);
  const output = find(`${id}-value`);
  const show = () => {
    output.textContent = format(Number(slider.value));
    slider.setAttribute("aria-valuetext", output.textContent);
  };
  slider.addEventListener("input", () => {
    show();
    change(Number(slider.value));
  });
  show();
  return (value) => {
    slider.value = value;
    show();
    change(Number(slider.value));
  };
}

export function wireTabs(changed) {
  const tabs = [...document.querySelectorAll('[role="tab"]')];
  const choose = (tab, focus = false) => {
    for (const each of tabs) {
      const on = each === tab;
      each.setAttribute("aria-selected", String(on));
      each.tabIndex = on ? 0 : -1;
      find(each.getAttribute("aria-controls")).hidden = !on;
    }
    document.documentElement.dataset.tab = tab.id.slice(4);
    if (focus) tab.focus();
    changed(tab.id.slice(4));
  };
  for (const tab of tabs) {
    tab.addEventListener("click", () => choose(tab));
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const shown = tabs.filter((each) => !each.hidden);
      choose(shown[(shown.indexOf(tab) + step + shown.length) % shown.length], true);
      event.preventDefault();
    });
  }
  choose(tabs.find((tab) => tab.getAttribute("aria-selected") === "true"));
  return (name) => choose(find(`tab-${name}`));
}
