// @ts-check
// A dashboard that makes itself: a view for each OpenAI account, out of Home Assistant's own cards.
// It is offered where dashboards are added; chosen in YAML it is
//
//   strategy:
//     type: custom:openai-account

import { textsIn } from "./texts.js";

/** @typedef {import("./account.js").Hass} Hass */
/** @typedef {{type: string, device_id?: string}} Config */
/** @typedef {{[option: string]: unknown}} Generated */

const TYPE = "openai-account";
const TITLE = "OpenAI";
const ICON = "mdi:creation";

/**
 * Return the parts that make views, which are not needed before one is shown.
 *
 * @returns {Promise<typeof import("./views.js")>}
 */
const views = () => import("./views.js");

/** The dashboard: an account, a view. */
class DashboardStrategy extends HTMLElement {
  /**
   * Return the dashboard's views.
   *
   * @param {Config} _config
   * @param {Hass} hass
   * @returns {Promise<Generated>}
   */
  static async generate(_config, hass) {
    return (await views()).dashboard(hass, `custom:${TYPE}`, TITLE, ICON);
  }

  /**
   * Return what a new dashboard is called unless the user says otherwise.
   *
   * @returns {{title: string, icon: string}}
   */
  static getCreateSuggestions() {
    return { title: TITLE, icon: ICON };
  }

  static registryDependencies = ["devices"];
}

/** An account's view: that of `device_id`, or of the first account. */
class ViewStrategy extends HTMLElement {
  /** Whether a view was made before its account's daily costs were read. */
  static isWaiting = false;

  /**
   * Return the view.
   *
   * @param {Config} config
   * @param {Hass} hass
   * @returns {Promise<Generated>}
   */
  static async generate(config, hass) {
    return (await views()).view(hass, config.device_id, (isWaited) => {
      ViewStrategy.isWaiting = isWaited;
    });
  }

  /**
   * Return whether the view is to be made anew: entities came, went or were renamed; the account
   * was granted more, which is the length of the gauge; or a poll may have brought daily costs.
   *
   * @param {Config} _config
   * @param {Hass} before
   * @param {Hass} now
   * @returns {boolean}
   */
  static shouldRegenerate(_config, before, now) {
    const keys = ViewStrategy.isWaiting ? ["total_granted", "cost_today"] : ["total_granted"];
    return (
      before.entities !== now.entities ||
      before.devices !== now.devices ||
      Object.values(now.entities).some(
        ({ entity_id, platform, translation_key }) =>
          platform === "openai_account" &&
          keys.includes(translation_key ?? "") &&
          before.states[entity_id]?.state !== now.states[entity_id]?.state,
      )
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
