"""Constants of the OpenAI Account integration."""

from datetime import timedelta
from typing import Final

DOMAIN: Final = "openai_account"
MANUFACTURER: Final = "OpenAI"

CONF_SESSION_KEY: Final = "session_key"
CONF_ADMIN_KEY: Final = "admin_key"
CONF_REMOVE_SESSION_KEY: Final = "remove_session_key"
CONF_REMOVE_ADMIN_KEY: Final = "remove_admin_key"
CONF_ORGANIZATION: Final = "organization"
# When the session key was entered (ISO 8601, UTC)
CONF_SESSION_KEY_ADDED: Final = "session_key_added"
# The organization's oldest project, which tells it from others where its id is not known
CONF_DEFAULT_PROJECT: Final = "default_project"
CONF_ENTERED_CREDIT: Final = "entered_credit"

# The form field for the credit on OpenAI's billing page
CONF_CREDIT: Final = "credit"

# Options: seconds, US dollars, US dollars
CONF_UPDATE_INTERVAL: Final = "update_interval"
CONF_LOW_BALANCE_THRESHOLD: Final = "low_balance_threshold"
CONF_MONTHLY_BUDGET: Final = "monthly_budget"
# Option: whether a repair announces the likely end of the session key
CONF_SESSION_KEY_REMINDER: Final = "session_key_reminder"

DEFAULT_UPDATE_INTERVAL: Final = 300
MIN_UPDATE_INTERVAL: Final = 30
MAX_UPDATE_INTERVAL: Final = 86_400
DEFAULT_LOW_BALANCE_THRESHOLD: Final = 5

# The longest pause between two requests where the server does not say how long to wait
MAX_RETRY_INTERVAL: Final = timedelta(hours=1)

# The bounds of what a server may ask for: a `Retry-After` of years is a mistake.
MIN_RETRY_AFTER: Final = timedelta(minutes=1)
MAX_RETRY_AFTER: Final = timedelta(days=1)

# An endpoint that the account never had is requested again this often; one that
# it had and that has been missing this long becomes a repair.
MISSING_PERIOD: Final = timedelta(days=1)

# After this many days OpenAI no longer corrects the costs of a day.
SETTLED_DAYS: Final = 3

# A model or project without costs for this long loses its sensor.
MODEL_RETENTION: Final = timedelta(days=90)

# So many models, projects and the like have sensors and statistics of their own, and so many
# are replaced by more expensive ones per day once that many are reached.
MAX_NAMES: Final = 300
MAX_REPLACED_NAMES: Final = 10

# A name that neither a poll nor the history has had costs of for this long is forgotten.
NAME_RETENTION: Final = timedelta(days=730)

BILLING_URL: Final = "https://platform.openai.com/settings/organization/billing/overview"
ADMIN_KEYS_URL: Final = "https://platform.openai.com/settings/organization/admin-keys"
USAGE_URL: Final = "https://platform.openai.com/usage"

CURRENCY_USD: Final = "USD"

# The largest amount in US dollars that can be entered
MAX_USD: Final = 1_000_000_000
