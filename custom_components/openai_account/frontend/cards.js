// @ts-check
// The cards of an account's view. What the account does not have gets no card.

import { DAYS } from "./account.js";
import { tableTemplate } from "./table.js";

/** @typedef {import("./account.js").Account} Account */
/** @typedef {import("./account.js").Hass} Hass */
/** @typedef {import("./account.js").History} History */
/** @typedef {import("./account.js").NamedEntity} NamedEntity */
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
/** What can be wrong with an account, and the state in which it is. */
const PROBLEMS = {
  delinquent: "on",
  canceled: "on",
  has_payment_method: "off",
  low_balance: "on",
  over_budget: "on",
};

/**
 * Return a condition that hides an entity while the account does not report its value.
 *
 * @param {string} entity
 * @returns {object}
 */
const isReported = (entity) => ({ condition: "state", entity, state_not: "unknown" });

/**
 * Return a tile for each entity with one of the keys, two in a row; the last one has a row to
 * itself if their number is odd.
 *
 * @param {Account} account
 * @param {string[]} keys
 * @returns {Card[]}
 */
function tiles(account, keys) {
  const entities = account.show(keys);
  const reported = entities.filter((one) => account.hass.states[one]?.state !== "unknown");
  return entities.map((entity) => ({
    type: "tile",
    entity,
    name: account.name(entity),
    grid_options: { columns: entity === reported.at(-1) && reported.length % 2 ? 12 : 6 },
    visibility: [isReported(entity)],
  }));
}

/**
 * Return one card with a row for each of the entities; none without entities.
 *
 * @param {Account} account
 * @param {string[]} entities
 * @returns {Card[]}
 */
function rows(account, entities) {
  if (!entities.length) {
    return [];
  }
  return [
    {
      type: "entities",
      entities: entities.map((entity) => ({
        type: "conditional",
        conditions: [isReported(entity)],
        row: { entity, name: account.name(entity) },
      })),
      grid_options: { columns: 12 },
      visibility: [{ condition: "or", conditions: entities.map(isReported) }],
    },
  ];
}

/**
 * Return the available credit as a gauge up to what was granted, red while it is low, and the
 * other facts about the credit.
 *
 * @param {Account} account
 * @returns {Card[]}
 */
export function creditCards(account) {
  const [available] = account.show(["total_available"]);
  const granted = account.value("total_granted");
  const facts = rows(account, account.show(CREDIT));
  if (!available) {
    return facts;
  }
  const tile = {
    type: "tile",
    entity: available,
    name: account.name(available),
    grid_options: { columns: 12 },
  };
  if (!(granted > 0)) {
    return [tile, ...facts];
  }
  const gauge = { ...tile, type: "gauge", min: 0, max: granted };
  const isKnown = { condition: "state", entity: available, state_not: ["unavailable", "unknown"] };
  const low = account.find("low_balance");
  const isLow = { condition: "state", entity: low, state: "on" };
  /** @type {(color: string, condition: object) => Card} */
  const colored = (color, condition) => ({
    ...gauge,
    segments: [{ from: 0, color }],
    visibility: [isKnown, condition],
  });
  const gauges = low
    ? [
        colored("var(--success-color)", { condition: "not", conditions: [isLow] }),
        colored("var(--error-color)", isLow),
      ]
    : [{ ...gauge, visibility: [isKnown] }];
  // A gauge without a number would be a warning.
  return [
    ...gauges,
    { ...tile, visibility: [{ condition: "not", conditions: [isKnown] }] },
    ...facts,
  ];
}

/**
 * Return the costs by period, and how much of the budget they are.
 *
 * @param {Account} account
 * @returns {Card[]}
 */
export function costCards(account) {
  return [
    ...tiles(account, COSTS),
    ...account.show(["budget_used"]).map((entity) => ({
      type: "tile",
      entity,
      name: account.name(entity),
      features: [{ type: "bar-gauge", min: 0, max: 100 }],
      grid_options: { columns: 12 },
    })),
  ];
}

/**
 * Return the subscription, and every other entity of the account that no other section shows.
 *
 * @param {Account} account
 * @returns {Card[]}
 */
export function subscriptionCards(account) {
  const subscription = account.show(SUBSCRIPTION);
  const rest = account.entities
    .filter((one) => one.kind === null && !account.shown.has(one.entity_id))
    .map((one) => one.entity_id);
  return rows(account, [...subscription, ...rest]);
}

/**
 * Return a badge for each problem, visible while there is that problem.
 *
 * @param {Account} account
 * @returns {Card[]}
 */
export function problemBadges(account) {
  return Object.entries(PROBLEMS).flatMap(([key, state]) =>
    account.show([key]).map((entity) => ({
      type: "entity",
      entity,
      name: account.name(entity),
      show_name: true,
      color: "red",
      visibility: [{ condition: "state", entity, state }],
    })),
  );
}

/**
 * Return the chart of daily costs; none without a recorder, or for an account without costs.
 *
 * @param {Hass} hass
 * @param {History} history
 * @param {Texts} texts
 * @returns {Card[]}
 */
export function historyCards(hass, history, texts) {
  const grid_options = { columns: "full" };
  if (!history.isRecorded) {
    return [];
  }
  if (!history.account) {
    return [{ type: "markdown", content: texts.noHistory, grid_options }];
  }
  return [
    {
      type: "statistics-graph",
      entities: history.models.length
        ? history.models.map((model) => ({ entity: model.statistic_id, name: model.name }))
        : [history.account],
      // Bars cannot be stacked before 2026.5.
      chart_type: isAtLeast(hass.config.version, 2026, 5) ? "bar-stack" : "bar",
      stat_types: ["change"],
      period: "day",
      days_to_show: DAYS,
      hide_legend: !history.models.length,
      grid_options,
    },
  ];
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
 * Return how this month's costs are made up: a bar, and a table below it.
 *
 * @param {Account} account
 * @param {NamedEntity[]} entities one for each model, or for each project
 * @param {string} title what they are
 * @param {Texts} texts
 * @returns {Card[]}
 */
export function shareCards(account, entities, title, texts) {
  if (!entities.length) {
    return [];
  }
  /** @type {Card[]} */
  const cards = [];
  const month = account.find("cost_this_month");
  if (month && entities.length > 1) {
    cards.push({
      type: "distribution",
      entities,
      grid_options: { columns: 12 },
      visibility: [{ condition: "numeric_state", entity: month, above: 0 }],
    });
  }
  cards.push({
    type: "markdown",
    content: tableTemplate(account.hass, entities, title, texts),
    grid_options: { columns: 12 },
  });
  return cards;
}
