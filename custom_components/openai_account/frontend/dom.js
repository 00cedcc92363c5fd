// @ts-check
// What the dashboard's own cards share.

/** @typedef {Node | string | null | undefined} Child */

/**
 * Return an HTML element.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string | number | boolean | undefined>} attributes
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function html(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/**
 * Return an SVG element.
 *
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string | number | boolean | undefined>} attributes
 * @param {...Child} children
 * @returns {SVGElementTagNameMap[Tag]}
 */
export function svg(tag, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  return fill(element, attributes, children);
}

/**
 * Return an element that Home Assistant's frontend defines.
 *
 * @param {string} tag
 * @param {Record<string, string | number | boolean | undefined>} attributes
 * @param {...Child} children
 * @returns {HTMLElement}
 */
export function custom(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/**
 * @template {Element} Type
 * @param {Type} element
 * @param {Record<string, string | number | boolean | undefined>} attributes
 * @param {Child[]} children
 * @returns {Type}
 */
function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
  element.append(...children.filter((one) => one !== null && one !== undefined));
  return element;
}

/**
 * Open the dialog with an entity's details.
 *
 * @param {HTMLElement} source
 * @param {string} entityId
 */
export function showMoreInfo(source, entityId) {
  source.dispatchEvent(
    new CustomEvent("hass-more-info", { bubbles: true, composed: true, detail: { entityId } }),
  );
}
