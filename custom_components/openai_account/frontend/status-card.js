// @ts-check
// The head of a view: what is wrong with the accounts, and how old their data is.

import { AccountCard, STYLES } from "./account-card.js";
import { alertsOf } from "./alerts.js";
import { custom, html } from "./dom.js";
import { ago } from "./format.js";

/** @typedef {import("./accounts.js").Account} Account */
/** @typedef {import("./accounts.js").Hass} Hass */

const MINUTE = 60_000;

/** @extends {AccountCard<undefined>} */
export class StatusCard extends AccountCard {
  static container = "div";
  static styles = `${STYLES}
    :host { width: 100%; }
    .container { display: grid; gap: 8px; }
    .updated { margin: 0; font-size: var(--ha-font-size-s, 12px); }
    a { color: inherit; display: inline-block; }
  `;

  /** @type {ReturnType<typeof setInterval> | undefined} */
  #interval;
  /**
   * The alerts that are shown, by what they say. They stay: what is new is read out.
   *
   * @type {Map<string, HTMLElement>}
   */
  #alerts = new Map();
  #updated = html("p", { class: "updated secondary" });

  connectedCallback() {
    super.connectedCallback();
    this.#interval = setInterval(() => this.refresh(), MINUTE);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    clearInterval(this.#interval);
  }

  getCardSize() {
    return 1;
  }

  async fetch() {
    return undefined;
  }

  /**
   * @param {import("./account-card.js").Context<undefined>} context
   * @returns {Node[]}
   */
  render({ hass, accounts, texts }) {
    const alerts = accounts.flatMap((account) =>
      alertsOf(hass, account, texts).map((alert) => ({
        ...alert,
        id: `${account.id}-${alert.id}`,
        text: accounts.length > 1 ? `${account.title}: ${alert.text} ` : `${alert.text} `,
      })),
    );
    this.#alerts = new Map(
      alerts.map((alert) => {
        const said = JSON.stringify(alert);
        return [said, this.#alerts.get(said) ?? alertElement(alert)];
      }),
    );
    const updates = accounts
      .map(({ listed }) => Date.parse(listed.last_update ?? ""))
      .filter((time) => !Number.isNaN(time));
    const updated = updates.length
      ? texts.updated.replace("{time}", ago(hass, Date.now() - Math.min(...updates)))
      : texts.neverUpdated;
    this.#updated.textContent = updated;
    return [...this.#alerts.values(), this.#updated];
  }

  /**
   * @param {import("./account-card.js").Context<undefined>} context
   * @returns {Node[]}
   */
  renderGone({ texts }) {
    return [html("p", { class: "secondary" }, texts.unknownAccount)];
  }
}

/**
 * @param {import("./alerts.js").Alert} alert
 * @returns {HTMLElement}
 */
function alertElement({ id, level, text, link }) {
  return custom(
    "ha-alert",
    { "alert-type": level },
    text,
    link && html("a", { id, ...linkTo(link.url) }, link.text),
  );
}

/**
 * Return the attributes of a link; one to another site opens a new tab.
 *
 * @param {string} url
 * @returns {Record<string, string>}
 */
function linkTo(url) {
  return url.startsWith("/") ? { href: url } : { href: url, target: "_blank", rel: "noreferrer" };
}
