// @ts-check
// The dashboard's own texts; names of entities and their states come from Home Assistant.

/**
 * @typedef {object} Texts
 * @property {string} about description of the dashboard where dashboards are added
 * @property {string} credit heading: the credit of the account
 * @property {string} costs heading: what was spent, and the budget
 * @property {string} history heading: costs of the last 30 days, by day and model
 * @property {string} models heading: costs of this month by model
 * @property {string} projects heading: costs of this month by project
 * @property {string} subscription heading: the plan and its problems
 * @property {string} model column: the model's name
 * @property {string} project column: the project's name
 * @property {string} cost column: its cost
 * @property {string} share column: its share of all costs
 * @property {string} noAccount there is no account yet
 * @property {string} addAccount the link that adds one
 * @property {string} noData the account reports nothing
 * @property {string} noHistory no daily costs are known yet
 * @property {string} noCosts nothing was spent this month
 */

/** @type {Record<string, Texts>} */
const TEXTS = {
  en: {
    about: "The credit, costs and subscription of your OpenAI accounts.",
    credit: "Credit",
    costs: "Costs",
    history: "Daily costs by model",
    models: "Models this month",
    projects: "Projects this month",
    subscription: "Subscription",
    model: "Model",
    project: "Project",
    cost: "Cost",
    share: "Share",
    noAccount: "There is no OpenAI account yet.",
    addAccount: "Add an account",
    noData: "This account reports nothing at the moment.",
    noHistory: "Daily costs appear here as soon as they have been fetched.",
    noCosts: "No costs this month.",
  },
  de: {
    about: "Guthaben, Kosten und Abonnement deiner OpenAI-Konten.",
    credit: "Guthaben",
    costs: "Kosten",
    history: "Tägliche Kosten nach Modell",
    models: "Modelle in diesem Monat",
    projects: "Projekte in diesem Monat",
    subscription: "Abonnement",
    model: "Modell",
    project: "Projekt",
    cost: "Kosten",
    share: "Anteil",
    noAccount: "Es gibt noch kein OpenAI-Konto.",
    addAccount: "Konto hinzufügen",
    noData: "Dieses Konto meldet im Moment nichts.",
    noHistory: "Die täglichen Kosten erscheinen hier, sobald sie gelesen sind.",
    noCosts: "Keine Kosten in diesem Monat.",
  },
  es: {
    about: "El crédito, los costes y la suscripción de tus cuentas de OpenAI.",
    credit: "Crédito",
    costs: "Costes",
    history: "Costes diarios por modelo",
    models: "Modelos de este mes",
    projects: "Proyectos de este mes",
    subscription: "Suscripción",
    model: "Modelo",
    project: "Proyecto",
    cost: "Coste",
    share: "Proporción",
    noAccount: "Todavía no hay ninguna cuenta de OpenAI.",
    addAccount: "Añadir una cuenta",
    noData: "Esta cuenta no informa de nada en este momento.",
    noHistory: "Los costes diarios aparecerán aquí en cuanto se hayan leído.",
    noCosts: "Sin costes este mes.",
  },
  fr: {
    about: "Le crédit, les coûts et l'abonnement de vos comptes OpenAI.",
    credit: "Crédit",
    costs: "Coûts",
    history: "Coûts quotidiens par modèle",
    models: "Modèles ce mois-ci",
    projects: "Projets ce mois-ci",
    subscription: "Abonnement",
    model: "Modèle",
    project: "Projet",
    cost: "Coût",
    share: "Part",
    noAccount: "Il n'y a pas encore de compte OpenAI.",
    addAccount: "Ajouter un compte",
    noData: "Ce compte ne rapporte rien pour le moment.",
    noHistory: "Les coûts quotidiens apparaîtront ici dès qu'ils auront été lus.",
    noCosts: "Aucun coût ce mois-ci.",
  },
  ja: {
    about: "OpenAI アカウントのクレジット、コスト、サブスクリプション。",
    credit: "クレジット",
    costs: "コスト",
    history: "モデル別の日次コスト",
    models: "今月のモデル",
    projects: "今月のプロジェクト",
    subscription: "サブスクリプション",
    model: "モデル",
    project: "プロジェクト",
    cost: "コスト",
    share: "割合",
    noAccount: "OpenAI アカウントはまだありません。",
    addAccount: "アカウントを追加",
    noData: "このアカウントは現在何も報告していません。",
    noHistory: "日次コストは読み込みが済むとここに表示されます。",
    noCosts: "今月のコストはありません。",
  },
  "zh-Hans": {
    about: "OpenAI 账户的额度、花费与订阅。",
    credit: "额度",
    costs: "花费",
    history: "各模型每日花费",
    models: "本月模型花费",
    projects: "本月项目花费",
    subscription: "订阅",
    model: "模型",
    project: "项目",
    cost: "花费",
    share: "占比",
    noAccount: "还没有 OpenAI 账户。",
    addAccount: "添加账户",
    noData: "此账户目前没有报告任何数据。",
    noHistory: "读取每日花费后将显示在此处。",
    noCosts: "本月没有花费。",
  },
  "zh-Hant": {
    about: "OpenAI 帳戶的額度、花費與訂閱。",
    credit: "額度",
    costs: "花費",
    history: "各模型每日花費",
    models: "本月模型花費",
    projects: "本月專案花費",
    subscription: "訂閱",
    model: "模型",
    project: "專案",
    cost: "花費",
    share: "佔比",
    noAccount: "尚無 OpenAI 帳戶。",
    addAccount: "新增帳戶",
    noData: "此帳戶目前沒有回報任何資料。",
    noHistory: "讀取每日花費後將顯示於此處。",
    noCosts: "本月沒有花費。",
  },
};

/**
 * Return the texts in a language, or in English if there are none.
 *
 * @param {string} language a BCP 47 tag, such as `de`, `es-419` or `zh-Hans`
 * @returns {Texts}
 */
export function textsIn(language) {
  return TEXTS[language] ?? TEXTS[language.split("-")[0] ?? ""] ?? /** @type {Texts} */ (TEXTS.en);
}
