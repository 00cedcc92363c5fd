// @ts-check
// The cards of an account's view. What does not exist gets none.

import { DAYS } from "./account.js";
import { tableTemplate } from "./table.js";

/** @typedef {import("./account.js").Entities} Entities */
/** @typedef {import("./account.js").Hass} Hass */
/** @typedef {import("./account.js").History} History */
/** @typedef {import("./account.js").Model} Model */
/** @typedef {import("./texts.js").Texts} Texts */
/** @typedef {{type: string, [option: string]: unknown}} Card */

const ABSENT = ["unavailable", "unknown"];

const CREDIT = ["total_available", "total_paid_available", "total_used", "total_granted"];
const COSTS = [
  ...["cost_today", "cost_yesterday", "cost_last_7_days", "cost_this_month"],
  ...["forecast_this_month", "cost_last_month"],
];
const SUBSCRIPTION = [
  ...["plan", "has_payment_method", "delinquent", "canceled", "canceled_at", "access_until"],
  ...["soft_limit_usd", "hard_limit_usd", "auto_recharge_enabled"],
  ...["auto_recharge_threshold", "auto_recharge_to_balance"],
];
/** What is wrong with an account, and the state that says so. */
const PROBLEMS = {
  delinquent: "on",
  canceled: "on",
  has_payment_method: "off",
  low_balance: "on",
  over_budget: "on",
};

/**
 * Return the credit as a gauge against what was granted, and what else is known of it.
 *
 * @param {Entities} entities
 * @returns {Card[]}
 */
export function creditCards(entities) {
  const available = entities.find("total_available");
  const granted = entities.value("total_granted");
  /** @type {Card[]} */
  const cards = [];
  let keys = CREDIT;
  if (available && granted > 0) {
    keys = CREDIT.slice(1);
    const has = { condition: "state", entity: available, state_not: ABSENT };
    const name = entities.name(available);
    cards.push({
      type: "gauge",
      entity: available,
      name,
      min: 0,
      max: granted,
      severity: { red: 0, yellow: granted * 0.1, green: granted * 0.25 },
      grid_options: { columns: 12 },
      visibility: [has],
    });
    // A gauge without a number would be a warning.
    cards.push({
      type: "tile",
      entity: available,
      name,
      grid_options: { columns: 12 },
      visibility: [{ condition: "not", conditions: [has] }],
    });
  }
  return [...cards, ...entities.tiles([...keys, "next_grant_expiry", "days_left", "low_balance"])];
}

/**
 * Return what was and will be spent, and how much of the budget that is.
 *
 * @param {Entities} entities
 * @returns {Card[]}
 */
export function costCards(entities) {
  const cards = entities.tiles(COSTS);
  const budget = entities.find("budget_used");
  if (budget) {
    cards.push({
      type: "tile",
      entity: budget,
      name: entities.name(budget),
      features: [{ type: "bar-gauge", min: 0, max: 100 }],
      grid_options: { columns: 12 },
    });
  }
  return [...cards, ...entities.tiles(["over_budget"])];
}

/**
 * Return the subscription, and below it whatever else of the account is enabled.
 *
 * @param {Entities} entities
 * @param {Card[]} placed the cards of the other sections
 * @returns {Card[]}
 */
export function subscriptionCards(entities, placed) {
  const cards = entities.tiles(SUBSCRIPTION);
  const shown = new Set([...placed, ...cards].map((card) => card.entity));
  const rest = entities.all
    .filter((one) => one.translation_key !== "model_cost" && !shown.has(one.entity_id))
    .map((one) => ({ entity: one.entity_id, name: entities.name(one.entity_id) }));
  if (rest.length) {
    cards.push({ type: "entities", entities: rest, grid_options: { columns: 12 } });
  }
  return cards;
}

/**
 * Return a badge for each thing that is wrong, seen while it is.
 *
 * @param {Entities} entities
 * @returns {Card[]}
 */
export function problemBadges(entities) {
  return Object.entries(PROBLEMS).flatMap(([key, state]) => {
    const entity = entities.find(key);
    return entity
      ? [
          {
            type: "entity",
            entity,
            name: entities.name(entity),
            show_name: true,
            color: "red",
            visibility: [{ condition: "state", entity, state }],
          },
        ]
      : [];
  });
}

/**
 * Return the chart of daily costs.
 *
 * @param {Hass} hass
 * @param {History} history
 * @param {Texts} texts
 * @returns {Card}
 */
export function historyCard(hass, history, texts) {
  const entities = history.models.length
    ? history.models.map((model) => ({ entity: model.statistic, name: model.name }))
    : [history.account].filter((one) => one !== undefined);
  if (!entities.length) {
    return { type: "markdown", content: texts.noHistory, grid_options: { columns: "full" } };
  }
  return {
    type: "statistics-graph",
    entities,
    // Bars could not be stacked before 2026.5.
    chart_type: isAtLeast(hass.config.version, 2026, 5) ? "bar-stack" : "bar",
    stat_types: ["change"],
    period: "day",
    days_to_show: DAYS,
    hide_legend: !history.models.length,
    grid_options: { columns: "full" },
  };
}

/**
 * @param {string} version such as `2026.11.0`
 * @param {number} year
 * @param {number} month
 * @returns {boolean}
 */
function isAtLeast(version, year, month) {
  const [isYear = 0, isMonth = 0] = version.split(".").map(Number);
  return isYear > year || (isYear === year && isMonth >= month);
}

/**
 * Return how this month's costs are shared out among the models: a bar, and a table below it.
 *
 * @param {Entities} entities
 * @param {Model[]} models
 * @param {Texts} texts
 * @returns {Card[]}
 */
export function modelCards(entities, models, texts) {
  if (!models.length) {
    return [];
  }
  /** @type {Card[]} */
  const cards = [];
  const month = entities.find("cost_this_month");
  if (month && models.length > 1) {
    cards.push({
      type: "distribution",
      entities: models,
      grid_options: { columns: 12 },
      visibility: [{ condition: "numeric_state", entity: month, above: 0 }],
    });
  }
  cards.push({
    type: "markdown",
    content: tableTemplate(entities.hass, models, texts),
    grid_options: { columns: 12 },
  });
  return cards;
}
