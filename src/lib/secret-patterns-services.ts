/**
 * Services whose keys have no form of their own: they can only be told by the name beside them. A name counts in one spelling, all
 * small, all large or with a capital, and not in the middle of a word, so that `CameraKit` is no `meraki`.
 */
const names = [
  ...[
    'adafruit',
    'adobe',
    'airtable',
    'algolia',
    'alibaba',
    'asana',
    'atlassian',
    'beamer',
    'bitbucket',
    'bittrex',
    'meraki',
    'cloudflare',
  ],
  ...[
    'codecov',
    'cohere',
    'co_api_key',
    'coinbase',
    'confluent',
    'contentful',
    'datadog',
    'discord',
    'droneci',
    'dropbox',
    'etsy',
  ],
  ...[
    'facebook',
    'fastly',
    'finicity',
    'finnhub',
    'flickr',
    'freshbooks',
    'gitter',
    'heroku',
    'hubspot',
    'intercom',
    'jfrog',
    'artifactory',
  ],
  ...[
    'bintray',
    'xray',
    'kraken',
    'kucoin',
    'launchdarkly',
    'linear',
    'linkedin',
    'looker',
    'mailchimp',
    'mailgun',
    'mattermost',
  ],
  ...[
    'messagebird',
    'message_bird',
    'netlify',
    'new-relic',
    'newrelic',
    'new_relic',
    'nytimes',
    'new-york-times',
    'newyorktimes',
    'okta',
  ],
  ...['plaid', 'privateai', 'rapidapi', 'sendbird', 'sentry', 'snyk', 'sonar', 'sourcegraph', 'squarespace', 'sumo', 'sumologic'],
  ...[
    'travis',
    'twitch',
    'twitter',
    'typeform',
    'zendesk',
    'trello',
    'dockerhub',
    'circleci',
    'pagerduty',
    'opsgenie',
    'segment',
  ],
  ...[
    'amplitude',
    'mixpanel',
    'firebase',
    'supabase',
    'auth0',
    'mistral',
    'deepseek',
    'pinecone',
    'weaviate',
    'qdrant',
    'elastic',
  ],
]
const spelled = (name: string): readonly string[] => [name, name.toUpperCase(), `${name[0]?.toUpperCase()}${name.slice(1)}`]

/** With a capital within, as their owners write them. */
const proper = [
  'GitHub',
  'GitLab',
  'HubSpot',
  'LinkedIn',
  'MailChimp',
  'SendBird',
  'SumoLogic',
  'LaunchDarkly',
  'NewRelic',
  'RapidAPI',
  'DataDog',
]

/** In one expression: the service, more of the key's name, what stands between a key and its value, and the value. */
export const serviceAssignment = new RegExp(
  `(?:(?<![a-z])(?=[a-z])|(?<![A-Z])(?=[A-Z]))(?:${[...names.flatMap(spelled), ...proper].join('|')})(?<rest>[ \\t\\w.-]{0,30}?)["'\`\\s]{0,3}(?:\\|\\||\\?=|[=:>,]{1,4})["'\`\\s=]{0,6}(?<value>[A-Za-z0-9_=+/.%~-]{10,200})`,
  'g',
)

/** These give UUIDs for keys. */
export const uuidServices = /^(?:heroku|snyk|squarespace|sendbird|hubspot|kucoin|messagebird|plaid|intercom|new.?relic)/i
