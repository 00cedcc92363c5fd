// @ts-check

/**
 * Define an element, unless another version of these scripts has defined it already.
 *
 * @param {string} name
 * @param {CustomElementConstructor} element
 */
export function define(name, element) {
  if (!customElements.get(name)) {
    customElements.define(name, element);
  }
}
