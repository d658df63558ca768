/**
 * Packages and scopes of MCP that many people start by name, and that are therefore worth imitating. Short on purpose: a name is
 * here because it is official or widely used, and an entry is no recommendation.
 */
export const knownScopes: readonly string[] = [
  ...['@modelcontextprotocol', '@anthropic-ai', '@azure', '@azure-devops', '@microsoft', '@playwright', '@upstash', '@notionhq'],
  ...[
    '@supabase',
    '@sentry',
    '@stripe',
    '@cloudflare',
    '@heroku',
    '@hubspot',
    '@browserbasehq',
    '@smithery',
    '@openai',
    '@google-cloud',
  ],
  ...['@aws', '@elastic', '@mongodb-js', '@sap', '@salesforce', '@paypal', '@shopify', '@grafana', '@datadog', '@atlassian'],
]

const reference = [
  ...['filesystem', 'memory', 'everything', 'sequential-thinking', 'github', 'gitlab', 'slack', 'postgres', 'puppeteer'],
  ...['brave-search', 'google-maps', 'gdrive', 'redis', 'everart', 'aws-kb-retrieval'],
].map((name) => `@modelcontextprotocol/server-${name}`)

export const knownNpm: readonly string[] = [
  ...reference,
  ...[
    '@modelcontextprotocol/sdk',
    '@modelcontextprotocol/inspector',
    '@modelcontextprotocol/core',
    '@modelcontextprotocol/client',
  ],
  ...[
    '@modelcontextprotocol/server',
    '@modelcontextprotocol/conformance',
    '@playwright/mcp',
    '@upstash/context7-mcp',
    '@azure/mcp',
  ],
  ...['@azure-devops/mcp', '@notionhq/notion-mcp-server', '@supabase/mcp-server-supabase', '@sentry/mcp-server', '@stripe/mcp'],
  ...['@cloudflare/mcp-server-cloudflare', '@heroku/mcp-server', '@hubspot/mcp-server', '@browserbasehq/mcp', '@smithery/cli'],
  ...[
    '@wonderwhy-er/desktop-commander',
    '@21st-dev/magic',
    '@mondaydotcomorg/monday-api-mcp',
    '@elastic/mcp-server-elasticsearch',
  ],
  ...['mcp-remote', 'mcp-proxy', 'mcp-framework', 'supergateway', 'fastmcp', 'firecrawl-mcp', 'exa-mcp-server', 'tavily-mcp'],
  ...[
    'figma-developer-mcp',
    'chrome-devtools-mcp',
    'task-master-ai',
    'mongodb-mcp-server',
    'kubernetes-mcp-server',
    'mcp-server-kubernetes',
  ],
]

export const knownPyPi: readonly string[] = [
  ...['mcp', 'fastmcp', 'mcp-server-git', 'mcp-server-fetch', 'mcp-server-time', 'mcp-server-sqlite', 'mcp-server-sentry'],
  ...[
    'mcp-atlassian',
    'markitdown-mcp',
    'mcp-neo4j-cypher',
    'blender-mcp',
    'duckduckgo-mcp-server',
    'arxiv-mcp-server',
    'semgrep-mcp',
  ],
  ...[
    'basic-memory',
    'mcp-server-qdrant',
    'mcp-clickhouse',
    'mcp-proxy',
    'mcpo',
    'awslabs-core-mcp-server',
    'langchain-mcp-adapters',
  ],
]
