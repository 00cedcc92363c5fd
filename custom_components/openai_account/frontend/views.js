// @ts-check
// The views of the dashboard.

import { Account, costEntities, listAccounts, readHistory } from "./account.js";
import {
  costCards,
  creditCards,
  historyCards,
  problemBadges,
  shareCards,
  subscriptionCards,
} from "./cards.js";
import { textsIn } from "./texts.js";

/** @typedef {import("./account.js").Hass} Hass */
/** @typedef {import("./cards.js").Card} Card */
/** @typedef {{[option: string]: unknown}} Generated */
/**
 * @typedef {object} GeneratedView
 * @property {Generated} view
 * @property {string[]} watched the entities whose state changes call for a new view
 */

const ADD_ACCOUNT = "/config/integrations/dashboard/add?domain=openai_account";

/**
 * Return a dashboard: a view for each account, generated when it is opened.
 *
 * @param {Hass} hass
 * @param {string} type the type of the strategy that generates the views
 * @param {string} title
 * @param {string} icon
 * @returns {Promise<Generated>}
 */
export async function generateDashboard(hass, type, title, icon) {
  const accounts = await listAccounts(hass);
  if (!accounts.length) {
    return { title, views: [{ title, icon, strategy: { type } }] };
  }
  return {
    title,
    views: accounts.map((account) => ({
      title: account.title,
      path: account.config_entry_id,
      strategy: { type, config_entry_id: account.config_entry_id },
    })),
  };
}

/**
 * Return an account's view.
 *
 * @param {Hass} hass
 * @param {string} [entryId] the id of the account's config entry; the first account without it
 * @returns {Promise<GeneratedView>}
 */
export async function generateView(hass, entryId) {
  const texts = textsIn(hass.locale.language);
  const accounts = await listAccounts(hass);
  const listed = entryId
    ? accounts.find((one) => one.config_entry_id === entryId)
    : accounts[0];
  if (!listed) {
    return notice(`${texts.noAccount}\n\n[${texts.addAccount}](${ADD_ACCOUNT})`);
  }
  const account = new Account(hass, listed);
  if (!account.entities.length) {
    return notice(texts.noData);
  }
  const history = await readHistory(account);
  const models = costEntities(account, "model", history);
  const projects = costEntities(account, "project", history);
  const month = account.find("cost_this_month");
  // The gauge ends at what was granted, and a poll may have brought the first daily costs.
  const isWaiting = history.isRecorded && !history.account;
  const watched = account.findAll(isWaiting ? ["total_granted", "cost_today"] : ["total_granted"]);
  const badges = problemBadges(account);
  const sections = [
    section(texts.credit, "mdi:wallet", creditCards(account)),
    section(texts.costs, "mdi:cash-multiple", costCards(account)),
    section(
      texts.history,
      "mdi:chart-bar-stacked",
      models.length || history.account ? historyCards(hass, history, texts) : [],
      2,
    ),
    whileAvailable(
      month,
      section(texts.models, "mdi:creation", shareCards(account, models, texts.model, texts)),
    ),
    whileAvailable(
      month,
      section(texts.projects, "mdi:folder", shareCards(account, projects, texts.project, texts)),
    ),
    // The last one, since it shows what the others do not.
    section(texts.subscription, "mdi:card-account-details", subscriptionCards(account)),
  ].filter((one) => one !== undefined);
  const view = {
    type: "sections",
    max_columns: 3,
    // Credit, costs and models side by side where there is room; on a phone in this order.
    dense_section_placement: true,
    badges,
    sections,
  };
  return { view, watched };
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
 * Return a section that is hidden while an entity is unavailable, and the shares in it unknown.
 *
 * @param {string | undefined} entity
 * @param {Generated | undefined} section
 * @returns {Generated | undefined}
 */
function whileAvailable(entity, section) {
  return entity && section
    ? { ...section, visibility: [{ condition: "state", entity, state_not: "unavailable" }] }
    : section;
}

/**
 * Return a view with a single message.
 *
 * @param {string} content
 * @returns {GeneratedView}
 */
function notice(content) {
  const view = {
    type: "sections",
    max_columns: 1,
    sections: [{ type: "grid", cards: [{ type: "markdown", content }] }],
  };
  return { view, watched: [] };
}
