/**
 * Who is measured, and how each is started in front of an HTTP or a stdio upstream. Each runs as its documentation says
 * for this use, with logging off; a new subject is one entry here. The order is the order of a round.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Era, eras } from './cases.ts'

export type Front = 'http' | 'stdio'

/** Where a subject is started: it may write in `folder` only. */
export interface Place {
  root: string
  folder: string
  freePort: number
  /** The HTTP upstream's MCP endpoint. */
  upstreamUrl: string
  /** Whose tokens callers have, where a subject asks for them. */
  issuerUrl: string
}

/** A process to start. `line`: it prints `{"listen": URL}` first; `port`: it is ready when `freePort` accepts. */
export interface Launch {
  argv: string[]
  files?: Record<string, string>
  endpoint: string
  ready: 'line' | 'port'
  /** Callers have to show a token of the issuer. */
  asksForToken?: true
}

export type Way = Launch | { url: string } | { unavailable: string }

export interface Subject {
  name: string
  /** How it is set up, in the report's words. */
  setup: string
  eras: readonly Era[]
  fronts: Record<Front, (place: Place) => Way>
}

const node = process.execPath
const nginxPath = ['/usr/sbin/nginx', '/usr/local/sbin/nginx', '/usr/bin/nginx'].find((path) => existsSync(path))
const stdioOnly = { unavailable: 'its command line serves stdio servers only, it cannot stand before an HTTP server' }
const httpOnly = { unavailable: 'cannot stand before a stdio server' }

const stdioServer = ({ root }: Place) => [node, join(root, 'bench/upstream.ts'), '--stdio']
const script = (place: Place, path: string, ...rest: string[]) => [node, join(place.root, path), ...rest]

const nginxConfig = ({ folder, freePort, upstreamUrl }: Place) => `
${process.getuid?.() === 0 ? 'user root;' : ''}
daemon off;
worker_processes 1;
worker_rlimit_nofile 8192;
pid ${folder}/nginx.pid;
error_log stderr error;
events { worker_connections 4096; }
http {
  access_log off;
  client_max_body_size 10m;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  keepalive_requests 1000000000;
  upstream mcp {
    server ${new URL(upstreamUrl).host};
    keepalive 64;
    keepalive_requests 1000000000;
  }
  server {
    listen 127.0.0.1:${freePort};
    location / {
      proxy_pass http://mcp;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
      proxy_read_timeout 1h;
    }
  }
}
`

/** Policy and durable audit are on, and limits are counted; only their numbers are high enough for one caller to be a load generator. */
const sekishoConfig = (upstream: string, identity = '{ mode: anonymous }', bound = 'anonymous: true') => `listen: 127.0.0.1:0
admin: { listen: 127.0.0.1:0 }
store: sqlite:./data/sekisho.db
identity: ${identity}
limits: { principal: { perMinute: 10000000, burst: 10000000, concurrent: 100000 } }
servers:
  echo: { ${upstream}, trust: trusted, tools: { read: ["*"] } }
roles:
  everything:
    - { effect: allow, server: "*", tools: ["*"], prompts: ["*"], resources: ["*"], asks: ["*"] }
bindings:
  - { role: everything, ${bound} }
`

function sekisho(place: Place, upstream: string): Launch {
  const start = ['start', '--config', join(place.folder, 'sekisho.yaml'), '--json', '--quiet']
  const files = { 'sekisho.yaml': sekishoConfig(upstream) }
  return { argv: script(place, 'src/cli/main.ts', ...start), files, endpoint: '/echo/mcp', ready: 'line' }
}

/** Callers bring tokens of a provider, as with single sign-on: every request is checked for whose it is and what it is for. */
function sekishoWithTokens(place: Place, upstream: string): Launch {
  const identity = `{ mode: resource-server, provider: { kind: oidc, issuer: "${place.issuerUrl}" }, audience: resource }`
  const files = { 'sekisho.yaml': sekishoConfig(upstream, identity, 'client: bench') }
  return { ...sekisho(place, upstream), files, asksForToken: true }
}

export const subjects: readonly Subject[] = [
  {
    name: 'direct',
    setup: 'no proxy: the load generator calls the upstream',
    eras,
    fronts: {
      http: ({ upstreamUrl }) => ({ url: upstreamUrl }),
      stdio: () => ({ unavailable: 'the load generator speaks HTTP' }),
    },
  },
  {
    name: 'bare proxy',
    setup: 'bench/bare.ts: node:http and an undici Pool, each body parsed and serialised again both ways, no checks',
    eras,
    fronts: {
      http: (place) => ({ argv: script(place, 'bench/bare.ts', place.upstreamUrl), endpoint: '/mcp', ready: 'line' }),
      stdio: () => httpOnly,
    },
  },
  {
    name: 'nginx',
    setup: 'proxy_pass, one worker, keep-alive both ways, no buffering, no access log',
    eras,
    fronts: {
      http: (place) =>
        nginxPath
          ? {
              argv: [nginxPath, '-p', place.folder, '-e', 'stderr', '-c', join(place.folder, 'nginx.conf')],
              files: { 'nginx.conf': nginxConfig(place) },
              endpoint: '/mcp',
              ready: 'port',
            }
          : { unavailable: 'not installed' },
      stdio: () => httpOnly,
    },
  },
  {
    name: 'Sekisho',
    setup: 'policy and durable audit on (the defaults), anonymous caller, one trusted server, from the TypeScript source',
    eras,
    fronts: {
      http: (place) => sekisho(place, `url: ${place.upstreamUrl}`),
      stdio: (place) => sekisho(place, `command: ${JSON.stringify(stdioServer(place))}`),
    },
  },
  {
    name: 'Sekisho, SSO',
    setup: 'the same with an access token (RS256, 10 groups) on every request',
    eras,
    fronts: {
      http: (place) => sekishoWithTokens(place, `url: ${place.upstreamUrl}`),
      stdio: () => ({ unavailable: 'differs from Sekisho in what callers show, not in what stands behind' }),
    },
  },
  {
    name: 'mcp-proxy',
    setup:
      'stream endpoint only, no event store (its advice for request and response only); one upstream process for all sessions',
    eras,
    fronts: {
      http: () => stdioOnly,
      stdio: (place) => {
        const options = ['--server', 'stream', '--no-eventStore', '--host', '127.0.0.1', '--port', String(place.freePort), '--']
        const argv = script(place, 'node_modules/mcp-proxy/dist/bin/mcp-proxy.mjs', ...options, ...stdioServer(place))
        return { argv, endpoint: '/mcp', ready: 'port' }
      },
    },
  },
  {
    name: 'supergateway',
    setup: 'stateful mode, no log; one upstream process for each legacy session, one for each modern call',
    eras,
    fronts: {
      http: () => ({ unavailable: 'it turns streamable HTTP into stdio only, it cannot serve HTTP before an HTTP server' }),
      stdio: (place) => {
        const out = ['--outputTransport', 'streamableHttp', '--stateful', '--logLevel', 'none', '--port', String(place.freePort)]
        const quoted = stdioServer(place).map((word) => `"${word}"`)
        const argv = script(place, 'node_modules/supergateway/dist/index.js', '--stdio', quoted.join(' '), ...out)
        return { argv, endpoint: '/mcp', ready: 'port' }
      },
    },
  },
]
