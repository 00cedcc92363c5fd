// @ts-check
// What the dashboard's own cards have in common.

import { Account } from "./accounts.js";
import { custom, html } from "./dom.js";
import { utcToday } from "./periods.js";
import { textsIn } from "./texts.js";

/** @typedef {import("./accounts.js").Hass} Hass */
/** @typedef {import("./dom.js").Child} Child */
/** @typedef {import("./texts.js").Texts} Texts */
/** @typedef {{type?: string, config_entry_ids?: string[]}} CardConfig all accounts without ids */
/**
 * @template Data
 * @typedef {object} Context what a card is drawn from
 * @property {Hass} hass
 * @property {Account[]} accounts
 * @property {Texts} texts
 * @property {Data} data what the card has fetched
 */

/** The statistics of a new cost are in the database this much later than the sensor's state. */
const RECORDING_DELAY = 3000;

/**
 * A card of one or more accounts. It is drawn again when one of their states changes,
 * and fetches its data again a moment later.
 *
 * @template Data
 */
export class AccountCard extends HTMLElement {
  /** The style sheet of the card. */
  static styles = "";
  /** The element that has all others in it. */
  static container = "ha-card";

  /** @type {CardConfig} */
  config = {};

  /**
   * It stays when the card is drawn again: nothing in a new one could get the focus at once.
   *
   * @type {HTMLElement}
   */
  #container;

  /** @type {Hass | undefined} */
  #hass;
  /** @type {Context<Data> | undefined} */
  #context;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #shown = "";
  #fetches = 0;

  constructor() {
    super();
    const { styles, container } = /** @type {typeof AccountCard} */ (this.constructor);
    this.#container = custom(container, { class: "container", hidden: true });
    this.attachShadow({ mode: "open" }).append(html("style", {}, styles), this.#container);
  }

  /** @param {CardConfig} config */
  setConfig(config) {
    this.config = config;
    this.refresh();
  }

  /** @param {Hass} hass */
  set hass(hass) {
    const before = this.#hass;
    this.#hass = hass;
    if (before?.locale !== hass.locale) {
      this.refresh();
    } else if (this.#context) {
      const shown = shownOf(hass, this.#context.accounts);
      if (shown !== this.#shown) {
        this.#shown = shown;
        this.#context = { ...this.#context, hass };
        this.draw(this.#context);
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => this.refresh(), RECORDING_DELAY);
      }
    }
  }

  connectedCallback() {
    this.refresh();
  }

  disconnectedCallback() {
    clearTimeout(this.#timer);
  }

  /** @returns {number} */
  getCardSize() {
    return 4;
  }

  /** @returns {{columns: number | "full"}} */
  getGridOptions() {
    return { columns: 12 };
  }

  /** Fetch everything again and draw it; only the last of several calls counts. */
  async refresh() {
    const hass = this.#hass;
    if (!hass || !this.isConnected) {
      return;
    }
    const ids = this.config.config_entry_ids;
    this.#fetches += 1;
    const fetch = this.#fetches;
    try {
      const [all, texts] = await Promise.all([Account.all(hass), textsIn(hass.locale.language)]);
      const accounts = all.filter(({ id }) => ids?.includes(id) ?? true);
      const data = await this.fetch(hass, accounts);
      if (fetch === this.#fetches) {
        const context = { hass: this.#hass ?? hass, accounts, texts, data };
        this.#context = context;
        this.#shown = shownOf(context.hass, accounts);
        this.draw(context);
      }
    } catch (error) {
      // The frontend itself says so if it has lost its connection; what is shown can stay.
      console.warn("OpenAI Account:", error);
    }
  }

  /**
   * Fetch what the card shows besides states.
   *
   * @param {Hass} _hass
   * @param {Account[]} _accounts
   * @returns {Promise<Data>}
   */
  async fetch(_hass, _accounts) {
    throw new Error("A card defines what it fetches");
  }

  /**
   * Draw the card. What has the focus keeps it, by its id; what is rendered again as the same node
   * is not touched.
   *
   * @param {Context<Data>} context
   */
  draw(context) {
    const focused = this.shadowRoot?.activeElement?.id;
    const isGone = this.config.config_entry_ids && !context.accounts.length;
    const rendered = isGone ? this.renderGone(context) : this.render(context);
    const children = rendered.filter((child) => child !== undefined);
    replaceChildren(this.#container, children);
    this.#container.hidden = !children.length;
    if (focused) {
      this.shadowRoot?.getElementById(focused)?.focus({ preventScroll: true });
    }
  }

  /**
   * Return what the card contains; nothing hides it.
   *
   * @param {Context<Data>} _context
   * @returns {(Node | undefined)[]}
   */
  render(_context) {
    return [];
  }

  /**
   * Return what the card contains where its accounts are removed or disabled; nothing hides it.
   *
   * @param {Context<Data>} _context
   * @returns {Node[]}
   */
  renderGone(_context) {
    return [];
  }
}

/**
 * Replace an element's children, but leave those that it keeps where they are: what is taken away
 * and put back has no focus, and is read out again.
 *
 * @param {HTMLElement} element
 * @param {Node[]} children
 */
function replaceChildren(element, children) {
  for (const child of [...element.childNodes]) {
    if (!children.includes(child)) {
      child.remove();
    }
  }
  for (const [place, child] of children.entries()) {
    const next = element.childNodes[place] ?? null;
    if (child !== next) {
      element.insertBefore(child, next);
    }
  }
}

/**
 * Return all that the accounts' entities show, and the UTC day: where nothing changes after
 * midnight, what other entities report brings the new day.
 *
 * @param {Hass} hass
 * @param {Account[]} accounts
 * @returns {string}
 */
function shownOf(hass, accounts) {
  const states = accounts.flatMap(({ entities }) =>
    entities.map((one) => hass.states[one.entity_id]?.state),
  );
  return [utcToday(), ...states].join();
}

/** What the style sheets have in common. */
export const STYLES = `
  * { box-sizing: border-box; }
  :host { display: block; }
  [hidden] { display: none; }
  ha-card { padding: 16px; overflow-wrap: anywhere; }
  button { font: inherit; color: inherit; background: none; border: 0; margin: 0; cursor: pointer;
    border-radius: 8px; }
  button:disabled { opacity: 0.4; cursor: default; }
  :focus-visible { outline: 2px solid var(--primary-color); outline-offset: 1px; }
  .secondary { color: var(--secondary-text-color); }
  .amount { font-variant-numeric: tabular-nums; white-space: nowrap; }
`;
