// What is wrong with the page that is shown, each fault a sentence. The first argument is the width of the screen in CSS pixels, the
// second whether it is a phone's. Closed `details` are opened for it and closed again.

const [width, phone] = arguments;
const faults = [];
const root = document.documentElement;
const fault = (what, element) =>
  faults.push(element ? `${what}: ${element.outerHTML.replace(/\s+/g, ' ').slice(0, 200)}` : what);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const before = document.activeElement;
before.blur();
const closed = all('details:not([open])');
closed.forEach(details => { details.open = true; });
const shown = element =>
  element.checkVisibility({ visibilityProperty: true, contentVisibilityAuto: true }) && element.getClientRects().length > 0;
const named = element => (element.getAttribute('aria-label') ?? element.textContent).trim() !== '';

// The document.
if (!root.lang) fault('the page has no language');
if (!document.title.trim()) fault('the page has no title');
if (all('main').length !== 1) fault('the page has not one main part');
const own = element => !element.closest('[data-secret]');
const headings = all('h1, h2, h3, h4, h5, h6').filter(shown);
const firsts = headings.filter(heading => heading.tagName === 'H1');
if (firsts.length !== 1) fault(`the page has ${firsts.length} first headings`);
let level = 0;
for (const heading of headings) {
  const next = Number(heading.tagName[1]);
  // In a note its writer decides.
  if (next > level + 1 && own(heading)) fault('a heading is left out before', heading);
  level = next;
}
const ids = all('[id]').map(element => element.id);
ids.filter((id, place) => ids.indexOf(id) !== place).forEach(id => fault(`the id ${id} stands twice`));
for (const name of ['for', 'aria-describedby', 'aria-labelledby']) {
  for (const element of all(`[${name}]`)) {
    const asked = element.getAttribute(name).split(/\s+/);
    if (asked.some(id => !document.getElementById(id))) fault(`${name} names nothing`, element);
  }
}
for (const link of all('a[href^="#"]')) {
  if (!document.getElementById(link.hash.slice(1))) fault('the link leads nowhere', link);
}

// Names and labels.
const controls = all('input:not([type=hidden]), select, textarea').filter(shown);
for (const control of controls) {
  if (![...control.labels].some(named)) fault('the control has no label', control);
  const fill = control.autocomplete;
  if (control.type === 'password' && !['current-password', 'new-password'].includes(fill)) fault('the browser does not know which password', control);
  if (control.type === 'email' && fill !== 'email') fault('the browser does not know that it is an address', control);
  if (control.name === 'code' && fill !== 'one-time-code') fault('the browser does not know that it is a code', control);
  if (/^username$|^whom$|^code$/.test(control.name) && control.autocapitalize !== 'none') fault('a phone would write it with a capital', control);
}
all('button, a[href], summary').filter(shown).filter(element => !named(element)).forEach(element => fault('the button has no name', element));
for (const picture of all('svg')) {
  const silent = picture.getAttribute('aria-hidden') === 'true';
  if (!silent && !(picture.getAttribute('role') === 'img' && picture.getAttribute('aria-label'))) fault('the picture has no name', picture);
}
all('table').filter(own).filter(table => !table.caption).forEach(table => fault('the table has no caption', table));
all('time').filter(time => !time.dateTime || !time.textContent.trim()).forEach(time => fault('the time is none', time));

// Room.
if (innerWidth !== width) fault(`the window is ${innerWidth} wide on a screen of ${width}`);
if (root.scrollWidth > root.clientWidth) {
  fault(`the page is ${root.scrollWidth} wide on a screen of ${width}`);
  all('body *').filter(element => element.getBoundingClientRect().right > width + 1).slice(-2).forEach(element => fault('too wide', element));
}
for (const control of all('button, .button, input:not([type=hidden]), select, summary, nav a').filter(shown)) {
  const { width: wide, height: high } = control.getBoundingClientRect();
  const least = control.matches('summary, nav a:not(.button)') ? 24 : 38;
  if (high < least || wide < 24) fault(`no finger meets ${Math.round(wide)} × ${Math.round(high)}`, control);
}
if (phone) {
  controls.filter(control => parseFloat(getComputedStyle(control).fontSize) < 16).forEach(control => fault('a phone zooms in on it', control));
}

// A word that is broken to make a column narrower.
const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
const range = document.createRange();
while (texts.nextNode()) {
  const text = texts.currentNode;
  if (!text.parentElement.checkVisibility() || text.parentElement.closest('code, pre')) continue;
  for (const word of text.data.matchAll(/\p{L}{2,20}/gu)) {
    range.setStart(text, word.index);
    range.setEnd(text, word.index + word[0].length);
    const lines = [...range.getClientRects()].map(line => Math.round(line.top));
    if (lines.some(line => Math.abs(line - lines[0]) > 4)) fault(`the word ${word[0]} is broken`, text.parentElement);
  }
}

// Contrast, as WCAG 2.2 counts it.
const colour = text => {
  const [r, g, b, a = 1] = text.match(/[\d.]+/g).map(Number);
  return { r, g, b, a };
};
const over = (top, below) => {
  const mix = part => top[part] * top.a + below[part] * (1 - top.a);
  return { r: mix('r'), g: mix('g'), b: mix('b'), a: 1 };
};
const behind = element => {
  const layers = [];
  for (let at = element; at; at = at.parentElement) {
    const layer = colour(getComputedStyle(at).backgroundColor);
    if (layer.a > 0) layers.push(layer);
    if (layer.a === 1) break;
  }
  return layers.reverse().reduce((below, top) => over(top, below), { r: 255, g: 255, b: 255, a: 1 });
};
const luminance = ({ r, g, b }) => {
  const linear = part => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4);
  return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
};
const contrast = (one, other) => {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
};
const judge = (element, what, text, ground, least) => {
  const ratio = contrast(over(colour(text), ground), ground);
  if (ratio < least) fault(`the contrast of ${what} is ${ratio.toFixed(2)}, not ${least}`, element);
};
for (const element of all('body *').filter(shown)) {
  const style = getComputedStyle(element);
  const texts = [...element.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.data.trim());
  if (texts && !element.closest('svg, .skip')) {
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    judge(element, 'its text', style.color, behind(element), large ? 3 : 4.5);
  }
  if (element.matches('input, select, textarea, button') && parseFloat(style.borderTopWidth) > 0) {
    judge(element, 'its border', style.borderTopColor, behind(element.parentElement), 3);
  }
}

// The focus. A key was pressed before, so that the browser shows where it is.
for (const element of all('a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]').filter(shown)) {
  if (element.tabIndex > 0) fault('it is out of its turn', element);
  if (element.tabIndex !== 0) continue;
  element.focus({ preventScroll: true });
  const style = getComputedStyle(element);
  if (document.activeElement !== element) fault('the focus does not reach it', element);
  else if (style.outlineStyle === 'none' || parseFloat(style.outlineWidth) < 2) fault('the focus does not show on it', element);
  else {
    const inside = parseFloat(style.outlineOffset) < 0;
    judge(element, 'its focus', style.outlineColor, behind(inside ? element : element.parentElement), 3);
  }
}
document.activeElement.blur();
before.focus({ preventScroll: true });
closed.forEach(details => { details.open = false; });
return faults;
