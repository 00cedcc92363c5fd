// @ts-check
// A dashboard that generates itself: a view for each OpenAI account. It is offered where
// dashboards are added; in YAML it is
//
//   strategy:
//     type: custom:openai-account
//
// A section of any other dashboard can show an account by the same type of strategy.

import { define } from "./define.js";
import { offers } from "./offers.js";

/** @typedef {import("./accounts.js").Hass} Hass */
/** @typedef {import("./views.js").Config} Config */
/** @typedef {import("./views.js").Generated} Generated */

const TYPE = "openai-account";
const TITLE = "OpenAI";
const ICON = "mdi:creation";

/**
 * Return the module that generates, which is not needed before a dashboard is opened.
 *
 * @returns {Promise<typeof import("./views.js")>}
 */
const views = () => import("./views.js");

/**
 * Return an editor.
 *
 * @param {"dashboard" | "section"} kind
 * @returns {Promise<HTMLElement>}
 */
async function editor(kind) {
  await import("./editor.js");
  return document.createElement(`${TYPE}-${kind}-editor`);
}

/**
 * What was generated last for each configuration: a function whose result differs if it has to be
 * generated again.
 *
 * @type {Map<string, (hass: Hass) => string>}
 */
const fingerprints = new Map();

/**
 * Return whether a configuration must be generated again: entities or devices were added, removed
 * or renamed, the language is another, or something that is generated from a state.
 *
 * @param {Config} config
 * @param {Hass} before
 * @param {Hass} now
 * @returns {boolean}
 */
function shouldRegenerate(config, before, now) {
  const fingerprint = fingerprints.get(JSON.stringify(config));
  return (
    before.entities !== now.entities ||
    before.devices !== now.devices ||
    before.locale !== now.locale ||
    (fingerprint !== undefined &&
      before.states !== now.states &&
      fingerprint(before) !== fingerprint(now))
  );
}

/**
 * Return what was generated, and remember its fingerprint.
 *
 * @param {Config} config
 * @param {import("./views.js").Result} result
 * @returns {Generated}
 */
function remember(config, { generated, fingerprint }) {
  fingerprints.set(JSON.stringify(config), fingerprint);
  return generated;
}

/** The dashboard of all accounts, or of those with `config_entry_ids`. */
class DashboardStrategy extends HTMLElement {
  /**
   * @param {Config} config
   * @param {Hass} hass
   * @returns {Promise<Generated>}
   */
  static async generate(config, hass) {
    return (await views()).generateDashboard(config, hass, TITLE, ICON);
  }

  /**
   * Return the title and icon that a new dashboard has unless the user chooses others.
   *
   * @returns {{title: string, icon: string}}
   */
  static getCreateSuggestions() {
    return { title: TITLE, icon: ICON };
  }

  static getConfigElement() {
    return editor("dashboard");
  }

  static registryDependencies = ["devices"];
}

/** The view of the account with `config_entry_id`, or of those with `config_entry_ids`. */
class ViewStrategy extends HTMLElement {
  /**
   * @param {Config} config
   * @param {Hass} hass
   * @returns {Promise<Generated>}
   */
  static async generate(config, hass) {
    return remember(config, await (await views()).generateView(config, hass));
  }

  static shouldRegenerate = shouldRegenerate;
}

/** A section with `parts` of the account with `config_entry_id`. */
class SectionStrategy extends HTMLElement {
  /**
   * @param {Config} config
   * @param {Hass} hass
   * @returns {Promise<Generated>}
   */
  static async generate(config, hass) {
    return remember(config, await (await views()).generateSection(config, hass));
  }

  /**
   * Return the configuration that a new section begins with.
   *
   * @param {Hass} hass
   * @returns {Promise<Config>}
   */
  static async getStubConfig(hass) {
    return (await views()).sectionStub(`custom:${TYPE}`, hass);
  }

  static getConfigElement() {
    return editor("section");
  }

  static shouldRegenerate = shouldRegenerate;
}

define(`ll-strategy-dashboard-${TYPE}`, DashboardStrategy);
define(`ll-strategy-view-${TYPE}`, ViewStrategy);
define(`ll-strategy-section-${TYPE}`, SectionStrategy);

/** @typedef {{type: string, strategyType: string, name: string, description: string}} Offered */
/** @type {Offered[]} */
const offered = (/** @type {any} */ (window).customStrategies ??= []);
if (!offered.some((one) => one.type === TYPE)) {
  for (const strategyType of /** @type {const} */ (["dashboard", "section"])) {
    offered.push({
      type: TYPE,
      strategyType,
      name: "OpenAI Account",
      // The user's language is not known before this is shown.
      get description() {
        return offers()[strategyType];
      },
    });
  }
}

// Not needed before a dashboard is opened: nothing of the start waits for it.
import("./custom-cards.js");
