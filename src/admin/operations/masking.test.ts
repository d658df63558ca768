/** What is shown of a command and of a URL, and what is not. */
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { isSecretUrl, shownUrl, shownWords } from './masking.ts'

const token = `ghp_${'a1'.repeat(18)}`
const words: readonly (readonly [given: readonly string[], shown: string])[] = [
  [
    ['mcp-remote', 'https://x/mcp', '--header', 'Authorization: Bearer s3cret'],
    'mcp-remote https://x/mcp --header Authorization: •••',
  ],
  [['mcp-remote', '--header', 'Authorization:s3cret'], 'mcp-remote --header Authorization:•••'],
  [['mcp-remote', '--header', `Authorization: Bearer \${TOKEN}`], `mcp-remote --header Authorization: Bearer \${TOKEN}`],
  [['x', '--header', 'X-Api-Key: s3cret'], 'x --header X-Api-Key: •••'],
  [['sh', '-c', 'curl -H "Authorization: Bearer s3cret"'], 'sh -c curl -H "Authorization: Bearer •••'],
  [['docker', 'run', '-e', 'API_TOKEN=s3cret', 'x'], 'docker run -e API_TOKEN=••• x'],
  [['x', '--api-key', 's3cret'], 'x --api-key •••'],
  [['x', '--api-key=s3cret'], 'x --api-key=•••'],
  [['x', token], 'x •••'],
  [['x', 'postgres://u:s3cret@h/db'], 'x •••'],
  [['x', 'https://h/?access_token=s3cret&a=1'], 'x https://h/?access_token=…&a=…'],
  [['docker', 'run', 'token-server:1.2', '-w', '/key'], 'docker run token-server:1.2 -w /key'],
  [['npx', '-y', '@scope/token-server@1.2.3', '--verbose', 'key'], 'npx -y @scope/token-server@1.2.3 --verbose key'],
]
describe('words', () => {
  for (const [given, shown] of words) test(shown, () => assert.equal(shownWords(given).join(' '), shown))
})

const unguessable = 'NzU2ZDkzYjctYWYzMy00ZTQ5'
const urls: readonly (readonly [given: string, shown: string, isSecret: boolean])[] = [
  ['https://mcp.example/mcp', 'https://mcp.example/mcp', false],
  ['https://mcp.example:8443/v1/', 'https://mcp.example:8443/v1/', false],
  ['https://mcp.example/mcp?profile=free', 'https://mcp.example/mcp?profile=…', false],
  ['https://mcp.example/mcp?apiKey=abcdef', 'https://mcp.example/mcp?apiKey=…', true],
  [`https://mcp.example/mcp?apiKey=\${KEY}`, 'https://mcp.example/mcp?apiKey=…', false],
  [`https://mcp.example/s/${unguessable}/mcp`, 'https://mcp.example/s/…/mcp', true],
  ['https://mcp.example/756d93b7-af33-4e49-9d5e-1f8a3c2b7d60/mcp', 'https://mcp.example/…/mcp', true],
  ['https://u:p@mcp.example/', 'https://…@mcp.example/', true],
  [`https://mcp.example/${token}`, 'https://mcp.example/…', true],
  ['not a url', 'not a url', false],
]
describe('URLs', () => {
  for (const [given, shown, isSecret] of urls)
    test(given, () => assert.deepEqual([shownUrl(given), isSecretUrl(given)], [shown, isSecret]))
})
