// @ts-check
// The views of the dashboard.

import { Entities, accountsOf, modelsOf, readHistory, slugOf } from "./account.js";
import {
  costCards,
  creditCards,
  historyCard,
  modelCards,
  problemBadges,
  subscriptionCards,
} from "./cards.js";
import { textsIn } from "./texts.js";

/** @typedef {import("./account.js").Hass} Hass */
/** @typedef {import("./cards.js").Card} Card */
/** @typedef {{[option: string]: unknown}} Generated */

const ADD_ACCOUNT = "/config/integrations/dashboard/add?domain=openai_account";

/**
 * Return a dashboard: a view for each account, made when it is shown.
 *
 * @param {Hass} hass
 * @param {string} type the type of the strategy that makes the views
 * @param {string} title
 * @param {string} icon
 * @returns {Generated}
 */
export function dashboard(hass, type, title, icon) {
  const accounts = accountsOf(hass);
  if (!accounts.length) {
    return { title, views: [{ title, icon, strategy: { type } }] };
  }
  /** @type {Set<string>} */
  const paths = new Set();
  const made = accounts.map(({ id, name }) => {
    const slug = slugOf(name).replaceAll("_", "-");
    // A path of digits alone would mean the place of a view.
    const path = /[a-z]/.test(slug) && !paths.has(slug) ? slug : id;
    paths.add(path);
    return { title: name, path, strategy: { type, device_id: id } };
  });
  return { title, views: made };
}

/**
 * Return an account's view.
 *
 * @param {Hass} hass
 * @param {string} [device] the id of the account's device; the first account without it
 * @param {(isWaited: boolean) => void} [wait] told whether the daily costs are yet to come
 * @returns {Promise<Generated>}
 */
export async function view(hass, device, wait) {
  const texts = textsIn(hass.locale?.language ?? hass.language);
  const accounts = accountsOf(hass);
  const account = device ? accounts.find((one) => one.id === device) : accounts[0];
  if (!account) {
    return notice(`${texts.noAccount}\n\n[${texts.addAccount}](${ADD_ACCOUNT})`);
  }
  const entities = new Entities(hass, account);
  if (!entities.all.length) {
    return notice(texts.noData);
  }
  const history = await readHistory(hass, account);
  wait?.(history.kept && !history.account);
  const models = await modelsOf(entities, history);
  const badges = problemBadges(entities);
  const hasCosts = models.length || history.account;
  const chart = history.kept && hasCosts ? [historyCard(hass, history, texts)] : [];
  const sections = [
    section(texts.credit, "mdi:wallet", creditCards(entities)),
    section(texts.costs, "mdi:cash-multiple", costCards(entities)),
    section(texts.history, "mdi:chart-bar-stacked", chart, 2),
    whileKnown(
      entities.find("cost_this_month"),
      section(texts.models, "mdi:creation", modelCards(entities, models, texts)),
    ),
    // The last, since it shows what the others do not.
    section(texts.subscription, "mdi:card-account-details", subscriptionCards(entities)),
  ].filter((one) => one !== undefined);
  return {
    type: "sections",
    max_columns: 3,
    // Credit, costs and models side by side where there is room; on a phone in this order.
    dense_section_placement: true,
    badges,
    sections,
  };
}

/**
 * Return a section with a heading; none without cards.
 *
 * @param {string} heading
 * @param {string} icon
 * @param {Card[]} cards
 * @param {number} [columns] how many of the view's columns it takes
 * @returns {Generated | undefined}
 */
function section(heading, icon, cards, columns = 1) {
  if (!cards.length) {
    return undefined;
  }
  return {
    type: "grid",
    column_span: columns,
    cards: [{ type: "heading", heading, icon }, ...cards],
  };
}

/**
 * Return a section that is not seen while an entity is unavailable, and so its share unknown.
 *
 * @param {string | undefined} entity
 * @param {Generated | undefined} section
 * @returns {Generated | undefined}
 */
function whileKnown(entity, section) {
  return entity && section
    ? { ...section, visibility: [{ condition: "state", entity, state_not: "unavailable" }] }
    : section;
}

/**
 * Return a view that says one thing.
 *
 * @param {string} content
 * @returns {Generated}
 */
function notice(content) {
  return {
    type: "sections",
    max_columns: 1,
    sections: [{ type: "grid", cards: [{ type: "markdown", content }] }],
  };
}
