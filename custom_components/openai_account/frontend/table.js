// @ts-check
// The table of models.

/** @typedef {import("./account.js").Hass} Hass */
/** @typedef {import("./account.js").Model} Model */
/** @typedef {import("./texts.js").Texts} Texts */

/**
 * Return a template of a table of models, the dearest first, that sorts itself as costs change.
 *
 * @param {Hass} hass
 * @param {Model[]} models
 * @param {Texts} texts
 * @returns {string}
 */
export function tableTemplate(hass, models, texts) {
  const money = moneyFormat(hass);
  const list = models
    .map(({ entity, name }) => `(${quoted(entity)}, ${quoted(plain(name))})`)
    .join(", ");
  return [
    `{%- set table = namespace(rows=[], total=0) -%}`,
    `{%- for entity, name in [${list}] -%}`,
    `{%- set cost = states(entity) | float(0) -%}`,
    `{%- if cost > 0 -%}`,
    `{%- set table.rows = table.rows + [{"name": name, "cost": cost}] -%}`,
    `{%- set table.total = table.total + cost -%}`,
    `{%- endif -%}`,
    `{%- endfor -%}`,
    `{%- if table.rows -%}`,
    `| ${texts.model} | ${texts.cost} | ${texts.share} |\n|:--|--:|--:|`,
    `{%- for row in table.rows | sort(attribute="cost", reverse=true) %}`,
    `\n| {{ row.name }}`,
    ` | {{ ${quoted(money.before)} ~ "{:,.2f}".format(row.cost)`,
    ` | replace(",", "\\t") | replace(".", ${quoted(money.decimal)})`,
    ` | replace("\\t", ${quoted(money.group)}) ~ ${quoted(money.after)} }}`,
    ` | {{ (100 * row.cost / table.total) | round | int }} % |`,
    `{%- endfor -%}`,
    `{%- else -%}`,
    texts.noCosts,
    `{%- endif -%}`,
  ].join("");
}

/**
 * Return a text such that Markdown shows it as it is: nothing in a model's name ends its cell,
 * formats or links.
 *
 * @param {string} text
 * @returns {string}
 */
function plain(text) {
  return text.replace(/\s+/g, " ").replace(/[!-/:-@[-`{-~]/g, "\\$&");
}

/**
 * Return a text as a literal of the template language, whatever it holds.
 *
 * @param {string} text
 * @returns {string}
 */
function quoted(text) {
  const escaped = text.replace(
    /[^A-Za-z0-9 _.,-]/g,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return `"${escaped}"`;
}

/**
 * Return what stands around and within an amount of US dollars in the user's number format.
 *
 * @param {Hass} hass
 * @returns {{before: string, after: string, decimal: string, group: string}}
 */
function moneyFormat(hass) {
  const language = hass.locale?.language ?? hass.language ?? "en";
  /** @type {Record<string, string | undefined>} */
  const chosen = {
    comma_decimal: "en-US",
    decimal_comma: "de",
    space_comma: "fr",
    quote_decimal: "de-CH",
    system: undefined,
  };
  const format = hass.locale?.number_format ?? "language";
  const numbers = new Intl.NumberFormat(format in chosen ? chosen[format] : language, {
    style: "currency",
    currency: "USD",
    useGrouping: format !== "none",
  }).formatToParts(-1234567.8);
  /** @type {(type: string) => string} */
  const part = (type) => numbers.find((one) => one.type === type)?.value ?? "";
  const first = numbers.findIndex((one) => one.type === "integer");
  const last = numbers.findIndex((one) => one.type === "fraction");
  /** @type {(parts: Intl.NumberFormatPart[]) => string} */
  const text = (parts) =>
    parts
      .filter((one) => one.type !== "minusSign")
      .map((one) => one.value)
      .join("");
  return {
    before: text(numbers.slice(0, first)),
    after: text(numbers.slice(last + 1)),
    decimal: part("decimal"),
    group: part("group"),
  };
}
