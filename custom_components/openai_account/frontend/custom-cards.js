// @ts-check
// The dashboard's own cards. They are defined whether or not a strategy is used: whoever takes
// control of a dashboard keeps them.

import { CostsCard } from "./costs-card.js";
import { define } from "./define.js";
import { MonthCard } from "./month-card.js";
import { StatusCard } from "./status-card.js";
import { TokensCard } from "./tokens-card.js";
import { TotalsCard } from "./totals-card.js";
import { UsageCard } from "./usage-card.js";

define("openai-account-costs", CostsCard);
define("openai-account-month", MonthCard);
define("openai-account-status", StatusCard);
define("openai-account-tokens", TokensCard);
define("openai-account-totals", TotalsCard);
define("openai-account-usage", UsageCard);
