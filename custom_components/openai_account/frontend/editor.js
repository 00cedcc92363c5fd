// @ts-check
// The editors of a dashboard and of a section: which accounts, and which parts of them.

import { listAccounts } from "./accounts.js";
import { define } from "./define.js";
import { PARTS, SECTION_PARTS } from "./parts.js";
import { textsIn } from "./texts.js";

/** @typedef {import("./accounts.js").Hass} Hass */
/** @typedef {import("./accounts.js").ListedAccount} ListedAccount */
/** @typedef {import("./texts.js").Texts} Texts */
/** @typedef {import("./views.js").Config} Config */
/** @typedef {{name: string, selector: object}} Field */
/**
 * @typedef {HTMLElement & {
 *   hass: Hass,
 *   data: object,
 *   schema: Field[],
 *   computeLabel: (field: Field) => string | undefined,
 * }} Form Home Assistant's own form
 */

/** @returns {Promise<void>} when the frontend has loaded its forms, which it does on demand */
async function loadForms() {
  await customElements.whenDefined("hui-tile-card");
  /** @type {any} */
  const tile = customElements.get("hui-tile-card");
  await tile.getConfigElement();
  await customElements.whenDefined("ha-form");
}

/**
 * @param {boolean} multiple
 * @param {{value: string, label: string}[]} options
 * @returns {object}
 */
function select(multiple, options) {
  return { select: { multiple, options, mode: multiple ? "list" : "dropdown" } };
}

/** The editor of a section. */
class SectionEditor extends HTMLElement {
  /** @type {Hass | undefined} */
  #hass;
  /** @type {Config | undefined} */
  #config;
  /** @type {Promise<Form> | undefined} */
  #form;
  /** @type {ListedAccount[]} */
  accounts = [];

  /** @param {Config} config */
  setConfig(config) {
    this.#config = config;
    this.#show();
  }

  /** @param {Hass} hass */
  set hass(hass) {
    this.#hass = hass;
    this.#show();
  }

  async #show() {
    if (this.#hass && this.#config) {
      this.#form ??= this.#createForm(this.#hass);
      const form = await this.#form;
      form.hass = this.#hass;
      form.data = this.valuesOf(this.#config);
    }
  }

  /**
   * @param {Hass} hass
   * @returns {Promise<Form>}
   */
  async #createForm(hass) {
    const texts = await textsIn(hass.locale.language);
    this.accounts = await listAccounts(hass);
    await loadForms();
    const form = /** @type {Form} */ (document.createElement("ha-form"));
    /** @type {Record<string, string>} */
    const labels = {
      config_entry_id: texts.account,
      config_entry_ids: texts.accounts,
      parts: texts.shownParts,
    };
    form.computeLabel = ({ name }) => labels[name];
    form.schema = [
      this.accountField(),
      {
        name: "parts",
        selector: select(
          true,
          PARTS.map((value) => ({ value, label: texts.parts[value] })),
        ),
      },
    ];
    form.addEventListener("value-changed", (event) => {
      event.stopPropagation();
      const { value } = /** @type {CustomEvent<{value: Config}>} */ (event).detail;
      const config = this.configOf(value);
      this.dispatchEvent(
        new CustomEvent("config-changed", { bubbles: true, composed: true, detail: { config } }),
      );
    });
    this.replaceChildren(form);
    return form;
  }

  /** @returns {{value: string, label: string}[]} */
  get accountOptions() {
    return this.accounts.map((one) => ({ value: one.config_entry_id, label: one.title }));
  }

  /** @returns {Field} */
  accountField() {
    return { name: "config_entry_id", selector: select(false, this.accountOptions) };
  }

  /**
   * Return what the form shows for a configuration.
   *
   * The account is not in it if the section was chosen before Home Assistant had its stub.
   *
   * @param {Config} config
   * @returns {Config}
   */
  valuesOf(config) {
    const [first] = this.accounts;
    return {
      parts: SECTION_PARTS,
      ...(first && { config_entry_id: first.config_entry_id }),
      ...config,
    };
  }

  /**
   * Return the configuration for what was entered in the form, with the parts in their order.
   *
   * @param {Config} values
   * @returns {Config}
   */
  configOf(values) {
    return { ...values, parts: PARTS.filter((part) => values.parts?.includes(part)) };
  }
}

/** The editor of a dashboard. What is chosen whole is left open, for what is to come. */
class DashboardEditor extends SectionEditor {
  accountField() {
    return { name: "config_entry_ids", selector: select(true, this.accountOptions) };
  }

  /**
   * @param {Config} config
   * @returns {Config}
   */
  valuesOf(config) {
    const all = this.accounts.map((one) => one.config_entry_id);
    return { parts: PARTS, config_entry_ids: all, ...config };
  }

  /**
   * @param {Config} values
   * @returns {Config}
   */
  configOf(values) {
    const { parts, config_entry_ids = [], ...config } = super.configOf(values);
    return {
      ...config,
      ...(config_entry_ids.length < this.accounts.length && { config_entry_ids }),
      ...(parts && parts.length < PARTS.length && { parts }),
    };
  }
}

define("openai-account-section-editor", SectionEditor);
define("openai-account-dashboard-editor", DashboardEditor);
