// @ts-check
// What is wrong with an account.

import { money } from "./format.js";

/** @typedef {import("./accounts.js").Account} Account */
/** @typedef {import("./accounts.js").Hass} Hass */
/** @typedef {import("./texts.js").Texts} Texts */
/**
 * @typedef {object} Alert
 * @property {string} id what it is about
 * @property {"error" | "warning"} level
 * @property {string} text
 * @property {{text: string, url: string} | undefined} link
 */

/**
 * Return what is wrong with an account, the worst first.
 *
 * @param {Hass} hass
 * @param {Account} account
 * @param {Texts} texts
 * @returns {Alert[]}
 */
export function alertsOf(hass, account, texts) {
  const { failed_keys, config_entry_id, device_id, monthly_budget } = account.listed;
  const newKey = hass.user?.is_admin
    ? {
        text: texts.enterKey,
        url: `/config/integrations/integration/openai_account#config_entry=${config_entry_id}`,
      }
    : undefined;
  const url = hass.devices[device_id ?? ""]?.configuration_url;
  const billing = url ? { text: texts.openBilling, url } : undefined;
  /** @type {Alert[]} */
  const alerts = [];
  if (failed_keys.includes("session_key")) {
    alerts.push({ id: "session_key", level: "error", text: texts.sessionKeyFailed, link: newKey });
  }
  if (failed_keys.includes("admin_key")) {
    alerts.push({ id: "admin_key", level: "error", text: texts.adminKeyFailed, link: newKey });
  }
  if (account.state("delinquent", hass) === "on") {
    alerts.push({ id: "delinquent", level: "error", text: texts.overdue, link: billing });
  }
  if (account.state("spend_limit_reached", hass) === "on") {
    alerts.push({
      id: "spend_limit_reached",
      level: "error",
      text: texts.spendLimitReached,
      link: undefined,
    });
  }
  const available = account.credit(hass);
  if (account.state("low_balance", hass) === "on" && available !== undefined) {
    alerts.push({
      id: "low_balance",
      level: available > 0 ? "warning" : "error",
      text: texts.lowCredit.replace("{amount}", money(hass, available)),
      link: billing,
    });
  }
  const spent = account.value("cost_this_month", hass);
  if (account.state("over_budget", hass) === "on" && spent !== undefined && monthly_budget) {
    alerts.push({
      id: "over_budget",
      level: "warning",
      text: texts.overBudget
        .replace("{amount}", money(hass, spent))
        .replace("{budget}", money(hass, monthly_budget)),
      link: undefined,
    });
  }
  if (account.state("canceled", hass) === "on") {
    alerts.push({ id: "canceled", level: "warning", text: texts.canceled, link: billing });
  }
  if (account.state("has_payment_method", hass) === "off") {
    alerts.push({
      id: "has_payment_method",
      level: "warning",
      text: texts.noPaymentMethod,
      link: billing,
    });
  }
  return alerts;
}
