/** Every mistake in a fixture of our own, and the same program mended, about which nothing is said. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import test from 'node:test'
import fc from 'fast-check'
import { codeRules, languageOf, readCode } from './statics.ts'
import { tokensOf } from './statics-tokens.ts'

interface Pair {
  readonly rule: string
  readonly file: string
  readonly vulnerable: string
  readonly mended: string
}
const pairs: readonly Pair[] = [
  {
    rule: 'code/command-of-arguments',
    file: 'exec.ts',
    vulnerable: `import { exec } from 'node:child_process'
server.registerTool('log', { inputSchema: { path: z.string() } }, async ({ path }, extra) => {
  const command = \`git log -- \${path}\`
  return new Promise((resolve) => exec(command, (error, stdout) => resolve(stdout)))
})`,
    mended: `import { execFile } from 'node:child_process'
server.registerTool('log', { inputSchema: { path: z.string() } }, async ({ path }, extra) => {
  return new Promise((resolve) => execFile('git', ['log', '--', path], (error, stdout) => resolve(stdout)))
})`,
  },
  {
    rule: 'code/command-of-arguments',
    file: 'promisified.js',
    vulnerable: `const { exec } = require('child_process')
const { promisify } = require('util')
const run = promisify(exec)
server.setRequestHandler(CallToolRequestSchema, async (request) => {
  const { name, arguments: args } = request.params
  if (name === 'ping') return { content: await run('ping -c 1 ' + args.host) }
})`,
    mended: `const { exec } = require('child_process')
const { promisify } = require('util')
const run = promisify(exec)
server.setRequestHandler(CallToolRequestSchema, async (request) => {
  const { name, arguments: args } = request.params
  const count = Number(args.count)
  if (name === 'uptime') return { content: await run('uptime') + /x/.exec(args.text) + count }
  if (name === 'ping') return { content: await run('ping localhost -c ' + count) }
})`,
  },
  {
    rule: 'code/command-of-arguments',
    file: 'eval.ts',
    vulnerable: `const calculate = async (args: { expression: string }) => {
  const { expression } = args
  return { content: [{ type: 'text', text: String(eval(expression)) }] }
}
server.tool('calculate', schema, calculate)`,
    mended: `const calculate = async (args: { expression: string }) => {
  const { expression } = args
  return { content: [{ type: 'text', text: String(parser.eval_safely(expression)) }] }
}
server.tool('calculate', schema, calculate)`,
  },
  {
    rule: 'code/command-of-arguments',
    file: 'spawned.mjs',
    vulnerable: `import { spawn } from 'child_process'
server.addTool({ name: 'convert', execute: async (args) => { spawn('convert', [args.file], { shell: true }) } })`,
    mended: `import { spawn } from 'child_process'
server.addTool({ name: 'convert', execute: async (args) => { spawn('convert', [args.file], { shell: false }) } })`,
  },
  {
    rule: 'code/command-of-arguments',
    file: 'system.py',
    vulnerable: `import os
from mcp.server.fastmcp import FastMCP
mcp = FastMCP("files")

@mcp.tool()
def count(path: str) -> str:
    """Counts lines."""
    command = f"wc -l {path}"
    return os.popen(command).read()
`,
    mended: `import os
import shlex
from mcp.server.fastmcp import FastMCP
mcp = FastMCP("files")

@mcp.tool()
def count(path: str) -> str:
    """Counts lines."""
    command = f"wc -l {shlex.quote(path)}"
    return os.popen(command).read()
`,
  },
  {
    rule: 'code/command-of-arguments',
    file: 'call_tool.py',
    vulnerable: `import subprocess as sp

@server.call_tool()
async def call_tool(name: str, arguments: dict):
    if name == "run":
        line = arguments["line"]
        return sp.run(line, shell=True, capture_output=True)
`,
    mended: `import subprocess as sp

@server.call_tool()
async def call_tool(name: str, arguments: dict):
    if name == "run":
        line = arguments["line"]
        return sp.run(["printf", "%s", line], capture_output=True)
`,
  },
  {
    rule: 'code/shell',
    file: 'helper.py',
    vulnerable: `import subprocess

def clone(url):
    subprocess.check_call("git clone " + url, shell=True)
`,
    mended: `import subprocess

def clone(url):
    subprocess.check_call(["git", "clone", "--", url])
    subprocess.check_call("systemctl status | cat", shell=True)
`,
  },
  {
    rule: 'code/shell',
    file: 'helper.ts',
    vulnerable: `import { spawnSync } from 'node:child_process'
export const build = (target: string) => spawnSync('make ' + target, { shell: true })`,
    mended: `import { spawnSync } from 'node:child_process'
export const build = (target: string) => spawnSync('make', ['--', target])`,
  },
  {
    rule: 'code/token-passthrough',
    file: 'proxy.ts',
    vulnerable: `app.post('/mcp', async (req, res) => {
  const token = req.headers.authorization?.split(' ')[1]
  const answer = await fetch('https://crm.example.com/api', {
    headers: { Accept: 'application/json', Authorization: \`Bearer \${token}\` },
  })
  res.json(await answer.json())
})`,
    mended: `app.post('/mcp', async (req, res) => {
  const token = req.headers.authorization?.split(' ')[1]
  await verifyAccessToken(token)
  const own = await exchange({ subject_token: token })
  const answer = await fetch('https://crm.example.com/api', {
    headers: { Accept: 'application/json', Authorization: \`Bearer \${credentials.crm}\` },
  })
  res.json(await answer.json())
})`,
  },
  {
    rule: 'code/token-passthrough',
    file: 'auth-info.ts',
    vulnerable: `server.registerTool('list', {}, async (args, extra) => {
  const response = await axios.get('https://api.example.com/list', { headers: { Authorization: 'Bearer ' + extra.authInfo.token } })
  return response.data
})`,
    mended: `server.registerTool('list', {}, async (args, extra) => {
  const { access_token } = await broker.tokenFor(extra.authInfo.clientId)
  const response = await axios.get('https://api.example.com/list', { headers: { Authorization: 'Bearer ' + access_token } })
  return response.data
})`,
  },
  {
    rule: 'code/token-passthrough',
    file: 'passed.py',
    vulnerable: `import httpx

async def handle(request):
    auth = request.headers.get("Authorization")
    async with httpx.AsyncClient() as client:
        return await client.get("https://api.example.com/me", headers={"Authorization": auth})
`,
    mended: `import httpx

async def handle(request):
    auth = request.headers.get("Authorization")
    claims = await verify_token(auth)
    async with httpx.AsyncClient() as client:
        await client.post("https://login.example.com/introspect", headers={"Authorization": auth})
        return await client.get("https://api.example.com/me", headers={"Authorization": f"Bearer {settings.service_token}"})
`,
  },
  {
    rule: 'code/headers-passthrough',
    file: 'headers.js',
    vulnerable: `const forward = async (req) => fetch(upstream, { method: req.method, headers: req.headers, body: req.body })`,
    mended: `const forward = async (req) => fetch(upstream, { method: req.method, headers: { accept: req.headers.accept }, body: req.body })`,
  },
  {
    rule: 'code/audience',
    file: 'jose.ts',
    vulnerable: `import { jwtVerify } from 'jose'
export const verifyToken = async (token: string) => (await jwtVerify(token, keys, { issuer: 'https://login.example.com' })).payload`,
    mended: `import { jwtVerify } from 'jose'
export const verifyToken = async (token: string) =>
  (await jwtVerify(token, keys, { issuer: 'https://login.example.com', audience: 'https://mcp.example.com' })).payload`,
  },
  {
    rule: 'code/audience',
    file: 'jsonwebtoken.js',
    vulnerable: `const jwt = require('jsonwebtoken')
module.exports = (token) => jwt.verify(token, publicKey, { algorithms: ['RS256'] })`,
    mended: `const jwt = require('jsonwebtoken')
module.exports = (token) => {
  const payload = jwt.verify(token, publicKey, { algorithms: ['RS256'] })
  if (payload.aud !== resource) throw new Error('for somebody else')
  return payload
}`,
  },
  {
    rule: 'code/audience',
    file: 'pyjwt.py',
    vulnerable: `import jwt

def claims_of(token):
    return jwt.decode(token, key, algorithms=["RS256"], options={"verify_aud": False})
`,
    mended: `import jwt

def claims_of(token):
    return jwt.decode(token, key, algorithms=["RS256"], audience=RESOURCE)
`,
  },
  {
    rule: 'code/decoded-token',
    file: 'decoded.ts',
    vulnerable: `import { decodeJwt } from 'jose'
export const whoIs = (token: string) => decodeJwt(token).sub`,
    mended: `import { decodeJwt, jwtVerify } from 'jose'
export const whoIs = async (token: string) => {
  const { iss } = decodeJwt(token)
  return (await jwtVerify(token, keysOf(iss), { audience })).payload.sub
}`,
  },
  {
    rule: 'code/session-authentication',
    file: 'session.ts',
    vulnerable: `app.post('/mcp', async (req, res) => {
  const sessionId = req.headers['mcp-session-id'] as string
  const user = sessions.get(sessionId)
  if (user === undefined) return res.status(401).end()
  return run(user, req.body)
})`,
    mended: `app.post('/mcp', async (req, res) => {
  const sessionId = req.headers['mcp-session-id'] as string
  const transport = transports[sessionId]
  if (transport === undefined) return res.status(404).end()
  return transport.handleRequest(req, res, req.body)
})`,
  },
  {
    rule: 'code/session-authentication',
    file: 'session.py',
    vulnerable: `async def handle(request):
    session_id = request.headers["mcp-session-id"]
    request.state.role = sessions[session_id]["role"]
    return await run(request)
`,
    mended: `async def handle(request):
    principal = await verify_token(request.headers["authorization"])
    session_id = request.headers["mcp-session-id"]
    if sessions[session_id]["user"] != principal.id:
        raise NotFound()
    return await run(request, principal)
`,
  },
  {
    rule: 'code/guessable-session',
    file: 'transport.ts',
    vulnerable: `const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: () => Math.random().toString(36).slice(2) })`,
    mended: `const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: () => randomUUID() })
const jitter = Math.random() * 100`,
  },
  {
    rule: 'code/guessable-session',
    file: 'ids.py',
    vulnerable: `import random

def new_session():
    session_id = str(random.randint(0, 10**9))
    return session_id
`,
    mended: `import random
import secrets

def new_session():
    session_id = secrets.token_urlsafe(32)
    delay = random.random()
    return session_id
`,
  },
]

const findingsOf = (file: string, text: string) => {
  const report = readCode(text, languageOf(file) ?? 'javascript')
  assert.ok('findings' in report, file)
  return report.findings
}
for (const { rule, file, vulnerable, mended } of pairs) {
  test(`${rule} in ${file}`, () => {
    const found = findingsOf(file, vulnerable)
    assert.deepEqual([...new Set(found.map((one) => one.rule))], [rule], JSON.stringify(found))
    const [{ line, column } = { line: 0, column: 0 }] = found
    assert.match(vulnerable.split('\n')[line - 1]?.slice(column - 1) ?? '', /^(?:[\w.]+\(|\[)/)
  })
  test(`nothing is said of ${file} once it is mended`, () => assert.deepEqual(findingsOf(file, mended), []))
}

test('every rule has a fixture', () =>
  assert.deepEqual([...new Set(pairs.map(({ rule }) => rule))].sort(), codeRules.map(([rule]) => rule).sort()))

test('the same words in comments, texts and other places are no mistake', () => {
  const harmless = [
    `// exec(args.command)\n/* fetch(x, { headers: req.headers }) */\nconst text = 'eval(args.code)'`,
    `server.tool('search', schema, async ({ pattern }) => new RegExp('x').exec(pattern))`,
    `const exec = (query) => database.run(query)\nserver.tool('q', schema, async ({ q }) => exec(q))`,
    `# os.system(path)\n@mcp.tool()\ndef x(path): return "os.system(" + path`,
    `@mcp.tool()\ndef x(n: int):\n    return os.system(f"sleep {int(n)}")`,
  ]
  for (const [at, text] of harmless.entries()) assert.deepEqual(findingsOf(at > 2 ? 'x.py' : 'x.ts', text), [], text)
})

test('nothing is said of this project, nor of the packages of the specification', () => {
  const root = resolve(import.meta.dirname, '../../..')
  const folders = [
    'src',
    'node_modules/@modelcontextprotocol/server/dist',
    'node_modules/@modelcontextprotocol/server-filesystem/dist',
  ]
  const files = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.(ts|js|mjs)$/.test(file) && !file.endsWith('.test.ts') && !file.endsWith('.d.ts'))
      .map((file) => join(root, folder, file)),
  )
  assert.ok(files.length > 200)
  const found = files.flatMap((file) => {
    const report = readCode(readFileSync(file, 'utf8'), 'javascript')
    return 'findings' in report ? report.findings.map(({ rule, line }) => `${file}:${line} ${rule}`) : []
  })
  assert.deepEqual(found, [])
})

test('what no person wrote is not read, and that is said', () => {
  assert.deepEqual(readCode(`var a=1;${'a=a+1;'.repeat(5000)}`, 'javascript'), { unread: 'it is minified' })
  assert.deepEqual(readCode('x'.repeat(2_100_000), 'javascript'), { unread: 'it is longer than 2000000 characters' })
})

test('any text has tokens that are in it, in order', () =>
  fc.assert(
    fc.property(
      fc.string({
        unit: fc.constantFrom('a', '`', '${', '}', '{', '"', "'", '\\', '/', '*', '\n', '(', ')', 'f', '#', ' ', '=>', '='),
      }),
      fc.constantFrom('javascript', 'python'),
      (text, language) => {
        let at = 0
        for (const { start } of tokensOf(text, language)) {
          assert.ok(start >= at && start < Math.max(1, text.length))
          at = start
        }
        readCode(text, language)
      },
    ),
    { numRuns: 500 },
  ))

test('patterns in patterns are read in the time that their size takes', () => {
  const times = 10_000
  const nested = `${'{a:\n'.repeat(times)}1${'}=1\n'.repeat(times)}`
  const text = `import { exec } from 'node:child_process'\ntool('x', (q) => {\n${nested};\nexec(q) })\n`
  const report = readCode(text, 'javascript')
  assert.deepEqual('findings' in report && report.findings.map(({ rule }) => rule), ['code/command-of-arguments'])
})
