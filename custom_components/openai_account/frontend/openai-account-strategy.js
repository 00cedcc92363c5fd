// @ts-check
// A dashboard that generates itself: a view for each OpenAI account, made of Home Assistant's own
// cards. It is offered where dashboards are added; in YAML it is
//
//   strategy:
//     type: custom:openai-account

import { textsIn } from "./texts.js";

/** @typedef {import("./account.js").Hass} Hass */
/** @typedef {{type: string, config_entry_id?: string}} Config */
/** @typedef {{[option: string]: unknown}} Generated */

const TYPE = "openai-account";
const TITLE = "OpenAI";
const ICON = "mdi:creation";

/**
 * Return the module that generates views, which is not needed before one is opened.
 *
 * @returns {Promise<typeof import("./views.js")>}
 */
const views = () => import("./views.js");

/** The dashboard: one view per account. */
class DashboardStrategy extends HTMLElement {
  /**
   * Return the dashboard's views.
   *
   * @param {Config} _config
   * @param {Hass} hass
   * @returns {Promise<Generated>}
   */
  static async generate(_config, hass) {
    return (await views()).generateDashboard(hass, `custom:${TYPE}`, TITLE, ICON);
  }

  /**
   * Return the title and icon that a new dashboard has unless the user chooses others.
   *
   * @returns {{title: string, icon: string}}
   */
  static getCreateSuggestions() {
    return { title: TITLE, icon: ICON };
  }

  static registryDependencies = ["devices"];
}

/** The view of the account with `config_entry_id`, or of the first account. */
class ViewStrategy extends HTMLElement {
  /**
   * The entities whose state changes call for a new view, by config entry.
   *
   * @type {Map<string | undefined, string[]>}
   */
  static watched = new Map();

  /**
   * Return the view.
   *
   * @param {Config} config
   * @param {Hass} hass
   * @returns {Promise<Generated>}
   */
  static async generate(config, hass) {
    const { view, watched } = await (await views()).generateView(hass, config.config_entry_id);
    ViewStrategy.watched.set(config.config_entry_id, watched);
    return view;
  }

  /**
   * Return whether the view must be generated again: entities or devices were added, removed or
   * renamed, or an entity that the view is made from has another state.
   *
   * @param {Config} config
   * @param {Hass} before
   * @param {Hass} now
   * @returns {boolean}
   */
  static shouldRegenerate(config, before, now) {
    const watched = ViewStrategy.watched.get(config.config_entry_id) ?? [];
    return (
      before.entities !== now.entities ||
      before.devices !== now.devices ||
      watched.some((entity) => before.states[entity]?.state !== now.states[entity]?.state)
    );
  }
}

/**
 * @param {string} name
 * @param {CustomElementConstructor} element
 */
function define(name, element) {
  if (!customElements.get(name)) {
    customElements.define(name, element);
  }
}

define(`ll-strategy-dashboard-${TYPE}`, DashboardStrategy);
define(`ll-strategy-view-${TYPE}`, ViewStrategy);

/** @type {{type: string}[]} */
const offered = (/** @type {any} */ (window).customStrategies ??= []);
if (!offered.some((one) => one.type === TYPE)) {
  const offer = {
    type: TYPE,
    strategyType: "dashboard",
    name: "OpenAI Account",
    // The user's language is not known before the dashboards are shown.
    get description() {
      return textsIn(document.documentElement.lang).about;
    },
  };
  offered.push(offer);
}
