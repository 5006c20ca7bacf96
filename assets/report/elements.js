/*
 * Makes elements. Names come from hostile text: they reach the page as text content and attributes, never as markup.
 */

const svgSpace = 'http://www.w3.org/2000/svg';

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} name
 * @param {Record<string, string>} attributes
 * @param {...(Node | string)} content
 * @returns {HTMLElementTagNameMap[T]}
 */
function element(name, attributes, ...content) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...content);
  return node;
}

/**
 * @param {string} name
 * @param {string} [title]
 */
function button(name, title) {
  return element('button', title === undefined ? { type: 'button' } : { type: 'button', title }, name);
}

/**
 * @param {string} name
 * @param {Record<string, string>} attributes
 * @param {string} [content]
 */
function vector(name, attributes, content) {
  const node = document.createElementNS(svgSpace, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (content !== undefined) node.textContent = content;
  return node;
}

/**
 * @param {string} look
 * @param {number} x
 * @param {number} y
 * @param {string} content
 */
function text(look, x, y, content) {
  return vector('text', { class: look, x: fix(x), y: fix(y) }, content);
}

/**
 * @param {string} look
 * @param {number} x
 * @param {string} height
 */
function upright(look, x, height) {
  return vector('line', { class: look, x1: fix(x), y1: '0', x2: fix(x), y2: height });
}

/**
 * A coordinate, to a tenth of a pixel.
 * @param {number} value
 */
function fix(value) {
  return String(Math.round(value * 10) / 10);
}

/** @param {number} value */
function count(value) {
  return value.toLocaleString('en');
}
