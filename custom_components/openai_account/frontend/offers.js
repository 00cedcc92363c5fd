// @ts-check
// What is said where dashboards and sections are added, which must be known without delay.

import { inLanguage } from "./texts.js";

/** @typedef {{dashboard: string, section: string}} Offer */

/** @type {Record<string, Offer>} */
const OFFERS = {
  en: {
    dashboard: "The credit, costs and subscription of your OpenAI accounts.",
    section: "The credit and costs of an OpenAI account.",
  },
  de: {
    dashboard: "Guthaben, Kosten und Abonnement deiner OpenAI-Konten.",
    section: "Guthaben und Kosten eines OpenAI-Kontos.",
  },
  es: {
    dashboard: "El crédito, los costes y la suscripción de tus cuentas de OpenAI.",
    section: "El crédito y los costes de una cuenta de OpenAI.",
  },
  fr: {
    dashboard: "Le crédit, les coûts et l'abonnement de vos comptes OpenAI.",
    section: "Le crédit et les coûts d'un compte OpenAI.",
  },
  ja: {
    dashboard: "OpenAI アカウントのクレジット、コスト、サブスクリプション。",
    section: "OpenAI アカウントのクレジットとコスト。",
  },
  "zh-Hans": {
    dashboard: "OpenAI 账户的额度、花费与订阅。",
    section: "OpenAI 账户的额度与花费。",
  },
  "zh-Hant": {
    dashboard: "OpenAI 帳戶的額度、花費與訂閱。",
    section: "OpenAI 帳戶的額度與花費。",
  },
};

/**
 * Return the descriptions in the language of the page.
 *
 * @returns {Offer}
 */
export function offers() {
  return inLanguage(OFFERS, document.documentElement.lang);
}
