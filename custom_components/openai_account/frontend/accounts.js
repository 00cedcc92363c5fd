// @ts-check
// The accounts as the integration and Home Assistant describe them.

/** @typedef {{state: string, attributes: Record<string, unknown>}} State */
/**
 * @typedef {object} Hass
 * @property {Record<string, State | undefined>} states
 * @property {Record<string, {name?: string} | undefined>} entities those that are not disabled
 * @property {Record<string, {configuration_url?: string | null} | undefined>} devices
 * @property {{time_zone: string}} config
 * @property {{language: string, number_format?: string}} locale
 * @property {{is_admin: boolean}} [user]
 * @property {(state: State) => string} [formatEntityState]
 * @property {string} [panelUrl] the address of the dashboard
 * @property {(message: Record<string, unknown>) => Promise<any>} callWS
 */
/** @typedef {"model" | "project" | "api_key"} Kind */
/**
 * @typedef {object} ListedEntity
 * @property {string} entity_id
 * @property {string} key what it shows, such as `cost_today`
 * @property {Kind | null} kind what it belongs to, if not to the account as a whole
 * @property {string | null} name the model's, project's or API key's name
 * @property {string | null} custom_name the user's own name for the entity
 */
/**
 * @typedef {object} ListedStatistic a value of each day
 * @property {string} statistic_id
 * @property {string} measure what the value is, such as `cost` or `input_tokens`
 * @property {Kind | null} kind
 * @property {string | null} name
 */
/**
 * @typedef {object} ListedAccount
 * @property {string} config_entry_id
 * @property {string | null} device_id
 * @property {string} title
 * @property {string[]} failed_keys `session_key` or `admin_key`
 * @property {string | null} last_update ISO 8601
 * @property {number | null} low_balance_threshold US dollars
 * @property {number | null} monthly_budget US dollars
 * @property {ListedEntity[]} entities those that are not disabled or hidden
 * @property {ListedStatistic[] | null} statistics null without a recorder
 */

/** The sensors of the credit: as it is reported, and as it is estimated while it is not. */
export const CREDIT_KEYS = ["total_available", "estimated_credit"];

/**
 * Return the accounts by title.
 *
 * @param {Hass} hass
 * @returns {Promise<ListedAccount[]>}
 */
export async function listAccounts(hass) {
  return (await hass.callWS({ type: "openai_account/account/list" })).accounts;
}

/** @type {Map<string, Promise<Record<string, string>>>} */
const entityNames = new Map();

/**
 * Return the integration's names for its entities in the user's language, by translation key.
 *
 * @param {Hass} hass
 * @returns {Promise<Record<string, string>>}
 */
function loadEntityNames(hass) {
  const { language } = hass.locale;
  let names = entityNames.get(language);
  if (!names) {
    names = hass
      .callWS({
        type: "frontend/get_translations",
        language,
        category: "entity",
        integration: "openai_account",
      })
      .then(({ resources }) => resources);
    entityNames.set(language, names);
    names.catch(() => entityNames.delete(language));
  }
  return names;
}

/** An account and those of its entities that have a state. */
export class Account {
  /**
   * @param {Hass} hass
   * @param {ListedAccount} listed
   * @param {Record<string, string>} names the integration's names for its entities
   */
  constructor(hass, listed, names) {
    this.hass = hass;
    this.listed = listed;
    this.names = names;
    this.id = listed.config_entry_id;
    this.title = listed.title;
    this.entities = listed.entities.filter((one) => hass.states[one.entity_id]);
  }

  /**
   * Return all accounts by title.
   *
   * @param {Hass} hass
   * @returns {Promise<Account[]>}
   */
  static async all(hass) {
    const [accounts, names] = await Promise.all([listAccounts(hass), loadEntityNames(hass)]);
    return accounts.map((one) => new Account(hass, one, names));
  }

  /**
   * Return the entity with a key.
   *
   * @param {string} key
   * @returns {string | undefined}
   */
  find(key) {
    return this.entities.find((one) => one.key === key)?.entity_id;
  }

  /**
   * Return the state of the entity with a key, now or at another time.
   *
   * @param {string} key
   * @param {Hass} [hass]
   * @returns {string | undefined} undefined if there is none
   */
  state(key, hass = this.hass) {
    return hass.states[this.find(key) ?? ""]?.state;
  }

  /**
   * Return the number that a sensor shows, now or at another time.
   *
   * @param {string} key
   * @param {Hass} [hass]
   * @returns {number | undefined} undefined if there is none
   */
  value(key, hass = this.hass) {
    const value = Number.parseFloat(this.state(key, hass) ?? "");
    return Number.isNaN(value) ? undefined : value;
  }

  /**
   * Return the key of the sensor that knows the available credit, now or at another time.
   *
   * @param {Hass} [hass]
   * @returns {string | undefined} undefined if none does
   */
  creditKey(hass = this.hass) {
    return CREDIT_KEYS.find((key) => this.value(key, hass) !== undefined);
  }

  /**
   * Return the available credit, now or at another time.
   *
   * @param {Hass} [hass]
   * @returns {number | undefined} undefined if it is not known
   */
  credit(hass = this.hass) {
    return this.value(this.creditKey(hass) ?? "", hass);
  }

  /**
   * Return an entity's name without its device's: the user's own, or else the integration's in the
   * user's language.
   *
   * @param {string} entityId
   * @param {string} [short] a name that is enough where the entity is shown
   * @returns {string}
   */
  name(entityId, short) {
    const entity = this.entities.find((one) => one.entity_id === entityId);
    const domain = entityId.split(".", 1)[0];
    const translated = this.names[`component.openai_account.entity.${domain}.${entity?.key}.name`];
    return (
      entity?.custom_name ??
      short ??
      translated ??
      this.hass.entities[entityId]?.name ??
      entityId
    );
  }
}

/**
 * Return the names of all models, projects or API keys, in an order that stays the same.
 *
 * @param {Account[]} accounts
 * @param {Kind} kind
 * @returns {string[]}
 */
export function namesOf(accounts, kind) {
  /** @type {Set<string>} */
  const names = new Set();
  for (const { listed } of accounts) {
    for (const one of [...(listed.statistics ?? []), ...listed.entities]) {
      if (one.kind === kind && one.name !== null) {
        names.add(one.name);
      }
    }
  }
  return [...names];
}

/** How many colors Home Assistant's themes have for graphs. */
const COLORS = 54;

/**
 * Return the color at a place in an order, as Home Assistant's own graphs use it.
 *
 * @param {number} place
 * @returns {string}
 */
export function colorAt(place) {
  const number = (place % COLORS) + 1;
  return `var(--graph-color-${number}, var(--color-${number}))`;
}

/**
 * @typedef {object} Sum
 * @property {number} amount
 * @property {number} accounts how many accounts it is the sum of
 */

/**
 * Return the sum of a number over accounts.
 *
 * @param {(number | undefined)[]} numbers one of each account, as far as it is known
 * @returns {Sum | undefined} undefined if it is known of none
 */
export function sumOf(numbers) {
  const values = numbers.filter((one) => one !== undefined);
  return values.length
    ? { amount: values.reduce((sum, one) => sum + one, 0), accounts: values.length }
    : undefined;
}
