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

const CREDIT = [
  "total_granted",
  "total_used",
  "total_paid_available",
  "next_grant_expiry",
  "days_left",
];
const COSTS = [
  "cost_today",
  "cost_yesterday",
  "cost_last_7_days",
  "cost_this_month",
  "forecast_this_month",
  "cost_last_month",
];
const SUBSCRIPTION = [
  "plan",
  "has_payment_method",
  "delinquent",
  "canceled",
  "canceled_at",
  "access_until",
  "soft_limit_usd",
  "hard_limit_usd",
  "auto_recharge_enabled",
  "auto_recharge_threshold",
  "auto_recharge_to_balance",
];
/** What is wrong with an account, and the state that says so. */
const PROBLEMS = {
  delinquent: "on",
  canceled: "on",
  has_payment_method: "off",
  low_balance: "on",
  over_budget: "on",
};

/** @type {(entity: string) => object} what an account does not tell takes no place */
const isTold = (entity) => ({ condition: "state", entity, state_not: "unknown" });

/**
 * Return a tile for each of the keys' entities, two in a row; the last has a row for itself where
 * they do not pair off.
 *
 * @param {Entities} entities
 * @param {string[]} keys
 * @returns {Card[]}
 */
function tiles(entities, keys) {
  const placed = entities.place(keys);
  const told = placed.filter((one) => entities.hass.states[one]?.state !== "unknown");
  return placed.map((entity) => ({
    type: "tile",
    entity,
    name: entities.name(entity),
    grid_options: { columns: entity === told.at(-1) && told.length % 2 ? 12 : 6 },
    visibility: [isTold(entity)],
  }));
}

/**
 * Return one card with a row for each of the entities; none without entities.
 *
 * @param {Entities} entities
 * @param {string[]} placed
 * @returns {Card[]}
 */
function rows(entities, placed) {
  if (!placed.length) {
    return [];
  }
  return [
    {
      type: "entities",
      entities: placed.map((entity) => ({
        type: "conditional",
        conditions: [isTold(entity)],
        row: { entity, name: entities.name(entity) },
      })),
      grid_options: { columns: 12 },
      visibility: [{ condition: "or", conditions: placed.map(isTold) }],
    },
  ];
}

/**
 * Return the credit as a gauge against what was granted, red while it is low, and what else is
 * known of it.
 *
 * @param {Entities} entities
 * @returns {Card[]}
 */
export function creditCards(entities) {
  const [available] = entities.place(["total_available"]);
  const granted = entities.value("total_granted");
  if (!available) {
    return rows(entities, entities.place(CREDIT));
  }
  const name = entities.name(available);
  const grid_options = { columns: 12 };
  const known = { condition: "state", entity: available, state_not: ["unavailable", "unknown"] };
  const tile = { type: "tile", entity: available, name, grid_options };
  /** @type {Card[]} */
  let cards = [tile];
  if (granted > 0) {
    const gauge = { ...tile, type: "gauge", min: 0, max: granted };
    const low = entities.find("low_balance");
    const isLow = { condition: "state", entity: low, state: "on" };
    /** @type {(color: string, when: object) => Card} */
    const coloured = (color, when) => ({
      ...gauge,
      segments: [{ from: 0, color }],
      visibility: [known, when],
    });
    const gauges = low
      ? [
          coloured("var(--success-color)", { condition: "not", conditions: [isLow] }),
          coloured("var(--error-color)", isLow),
        ]
      : [{ ...gauge, visibility: [known] }];
    // A gauge without a number would be a warning.
    cards = [...gauges, { ...tile, visibility: [{ condition: "not", conditions: [known] }] }];
  }
  return [...cards, ...rows(entities, entities.place(CREDIT))];
}

/**
 * Return what was and will be spent, and how much of the budget that is.
 *
 * @param {Entities} entities
 * @returns {Card[]}
 */
export function costCards(entities) {
  const cards = tiles(entities, COSTS);
  const [budget] = entities.place(["budget_used"]);
  if (budget) {
    cards.push({
      type: "tile",
      entity: budget,
      name: entities.name(budget),
      features: [{ type: "bar-gauge", min: 0, max: 100 }],
      grid_options: { columns: 12 },
    });
  }
  return cards;
}

/**
 * Return the subscription, and whatever else of the account is enabled and shown nowhere else.
 *
 * @param {Entities} entities
 * @returns {Card[]}
 */
export function subscriptionCards(entities) {
  const own = entities.place(SUBSCRIPTION);
  const rest = entities.all
    .filter((one) => one.translation_key !== "model_cost" && !entities.placed.has(one.entity_id))
    .map((one) => one.entity_id);
  return rows(entities, [...own, ...rest]);
}

/**
 * Return a badge for each thing that is wrong, seen while it is.
 *
 * @param {Entities} entities
 * @returns {Card[]}
 */
export function problemBadges(entities) {
  return Object.entries(PROBLEMS).flatMap(([key, state]) =>
    entities.place([key]).map((entity) => ({
      type: "entity",
      entity,
      name: entities.name(entity),
      show_name: true,
      color: "red",
      visibility: [{ condition: "state", entity, state }],
    })),
  );
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
