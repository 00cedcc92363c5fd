// @ts-check
// What Home Assistant knows of an account: its entities, its models and their history.

/** @typedef {{state: string, attributes: Record<string, unknown>}} State */
/**
 * @typedef {object} Entity an entity as the registry tells everybody
 * @property {string} entity_id
 * @property {string} [name]
 * @property {string} [platform]
 * @property {string} [translation_key]
 * @property {string} [device_id]
 * @property {boolean} [hidden]
 */
/**
 * @typedef {object} Device
 * @property {string} id
 * @property {string | null} name
 * @property {string | null} name_by_user
 * @property {[string, string][]} identifiers
 * @property {string | null} disabled_by
 */
/**
 * @typedef {object} Hass
 * @property {Record<string, State | undefined>} states
 * @property {Record<string, Entity>} entities
 * @property {Record<string, Device>} devices
 * @property {{version: string}} config
 * @property {string} [language]
 * @property {{language: string, number_format?: string}} [locale]
 * @property {(message: Record<string, unknown>) => Promise<any>} callWS
 */
/** @typedef {{id: string, name: string}} Account */
/** @typedef {{slug: string, statistic: string, name: string}} ModelHistory */
/**
 * @typedef {object} History
 * @property {boolean} kept whether there is a recorder to keep one
 * @property {string} [account] the statistic of all costs; none before the first were read
 * @property {ModelHistory[]} models
 */
/** @typedef {{entity: string, name: string}} Model */

export const DOMAIN = "openai_account";
/** How many days the chart of daily costs shows. */
export const DAYS = 30;

/**
 * Return the accounts, by name.
 *
 * @param {Hass} hass
 * @returns {Account[]}
 */
export function accountsOf(hass) {
  return Object.values(hass.devices)
    .filter((device) => !device.disabled_by && identityOf(device) !== undefined)
    .map((device) => ({ id: device.id, name: device.name_by_user || device.name || device.id }))
    .sort((one, other) => one.name.localeCompare(other.name, hass.language));
}

/**
 * @param {Device | undefined} device
 * @returns {string | undefined}
 */
export function identityOf(device) {
  return device?.identifiers.find(([domain]) => domain === DOMAIN)?.[1];
}

/**
 * @param {string} text
 * @returns {string}
 */
export function slugOf(text) {
  return text
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "_")
    .replace(/^_+|_+$/g, "");
}

/** An account's entities: those that exist, are enabled and not hidden. */
export class Entities {
  /**
   * @param {Hass} hass
   * @param {Account} account
   */
  constructor(hass, account) {
    this.hass = hass;
    this.account = account;
    /** @type {Set<string>} the entities that a card shows */
    this.placed = new Set();
    this.all = Object.values(hass.entities).filter(
      (one) =>
        one.platform === DOMAIN &&
        one.device_id === account.id &&
        !one.hidden &&
        hass.states[one.entity_id],
    );
  }

  /**
   * Return the entity of a key.
   *
   * @param {string} key
   * @returns {string | undefined}
   */
  find(key) {
    return this.all.find((one) => one.translation_key === key)?.entity_id;
  }

  /**
   * Return the value of a key's sensor; NaN where there is none.
   *
   * @param {string} key
   * @returns {number}
   */
  value(key) {
    return Number.parseFloat(this.hass.states[this.find(key) ?? ""]?.state ?? "");
  }

  /**
   * Return an entity's own name, without its account's.
   *
   * @param {string} entity
   * @returns {string}
   */
  name(entity) {
    const registered = this.hass.entities[entity]?.name;
    const shown = String(this.hass.states[entity]?.attributes.friendly_name ?? entity);
    const own = (registered || shown).trim();
    const prefix = `${this.account.name} `;
    return own.startsWith(prefix) ? own.slice(prefix.length) : own;
  }

  /**
   * Return those of the keys' entities that exist, as shown.
   *
   * @param {string[]} keys
   * @returns {string[]}
   */
  place(keys) {
    const found = keys.map((key) => this.find(key)).filter((one) => one !== undefined);
    found.forEach((one) => this.placed.add(one));
    return found;
  }
}

/**
 * Return what is known of an account's daily costs: its models' by how much they cost in the days
 * that the chart shows, without those that cost nothing.
 *
 * @param {Hass} hass
 * @param {Account} account
 * @returns {Promise<History>}
 */
export async function readHistory(hass, account) {
  /** @type {History} */
  const history = { kept: true, models: [] };
  const total = `${DOMAIN}:${slugOf(identityOf(hass.devices[account.id]) ?? "")}_cost`;
  const known = await hass
    .callWS({ type: "recorder/list_statistic_ids", statistic_type: "sum" })
    .catch(() => undefined); // A Home Assistant without a recorder does not know this command.
  if (!known) {
    return { ...history, kept: false };
  }
  /** @type {{statistic_id: string, name: string | null}[]} */
  const own = known.filter(
    (/** @type {{statistic_id: string}} */ { statistic_id: id }) =>
      id === total || id.startsWith(`${total}_`),
  );
  const base = own.find((one) => one.statistic_id === total);
  history.account = base?.statistic_id;
  const models = own.filter((one) => one !== base);
  if (!models.length) {
    return history;
  }
  /** @type {Record<string, {change?: number | null}[]>} */
  const rows = await hass
    .callWS({
      type: "recorder/statistics_during_period",
      start_time: new Date(Date.now() - DAYS * 24 * 3600 * 1000).toISOString(),
      statistic_ids: models.map((one) => one.statistic_id),
      period: "day",
      types: ["change"],
    })
    .catch(() => ({}));
  /** @type {(id: string) => number} */
  const cost = (id) => (rows[id] ?? []).reduce((sum, row) => sum + Math.abs(row.change ?? 0), 0);
  history.models = models
    .filter((one) => cost(one.statistic_id) > 0)
    .sort((one, other) => cost(other.statistic_id) - cost(one.statistic_id))
    .map((one) => ({
      slug: one.statistic_id.slice(total.length + 1),
      statistic: one.statistic_id,
      name: nameWithin(one.name ?? one.statistic_id, base?.name ?? ""),
    }));
  return history;
}

/**
 * Return a model's part of its history's name: that of 'OpenAI cost, gpt-5.5' is 'gpt-5.5'.
 *
 * @param {string} name
 * @param {string} base the name of the account's history
 * @returns {string}
 */
function nameWithin(name, base) {
  const own = base && name.startsWith(base) ? name.slice(base.length) : name;
  return own.replace(/^[\s,:;–—-]+/, "") || name;
}

/**
 * Return the sensors of models: those in the chart first and in its order, which gives a model one
 * colour everywhere.
 *
 * @param {Entities} entities
 * @param {History} history
 * @returns {Promise<Model[]>}
 */
export async function modelsOf(entities, history) {
  const ids = entities.all
    .filter((one) => one.translation_key === "model_cost")
    .map((one) => one.entity_id);
  if (!ids.length) {
    return [];
  }
  /** @type {Record<string, {unique_id: string} | null>} */
  const registered = await entities.hass
    .callWS({ type: "config/entity_registry/get_entries", entity_ids: ids })
    .catch(() => ({}));
  const models = ids.map((entity) => {
    const slug = (registered[entity]?.unique_id ?? "").split("_model_cost_")[1];
    const place = history.models.findIndex((one) => one.slug === slug);
    const known = entities.hass.states[entity]?.attributes.model;
    const name = known ? String(known) : (history.models[place]?.name ?? entities.name(entity));
    return { entity, name, place: place < 0 ? history.models.length : place };
  });
  models.sort((one, other) => one.place - other.place || one.name.localeCompare(other.name));
  return models.map(({ entity, name }) => ({ entity, name }));
}
