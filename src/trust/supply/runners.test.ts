import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { NotAdmitted } from './not-admitted.ts'
import { isRunner, scriptsOf } from './runners.ts'
import { interpreterOf } from './shebang.ts'

const cwd = realpathSync(mkdtempSync(join(tmpdir(), 'sekisho-runners-')))
after(() => rmSync(cwd, { recursive: true }))
for (const file of ['run.sh', 'rc.sh', 'main.ts', 'pre.ts', 'server.jar', 'plugin.so.1', 'notes.db', 'server'])
  writeFileSync(join(cwd, file), '')
mkdirSync(join(cwd, 'folder.js'))
symlinkSync('run.sh', join(cwd, 'link'))

const words = (line: string): [string, string[]] => {
  const [name = '', ...args] = line.split(' ')
  return [name, args]
}

describe('SUP-C2 what could run more than the file that is named is refused', () => {
  const lines: readonly (readonly [string, RegExp])[] = [
    ['bash -c evil', /bash is given code or a URL/],
    ['bash -s run.sh', /flag -s of bash may load code/],
    ['bash -i run.sh', /flag -i of bash/],
    ['bash --login run.sh', /flag --login of bash/],
    ['bash gone.sh', /gone\.sh: is not a file that bash/],
    ['bash --rcfile gone.sh run.sh', /gone\.sh: is not a file/],
    ['bash --rcfile', /started without a file/],
    ['bash folder.js', /folder\.js: is not a file/],
    ['sh', /started without a file/],
    ['ruby -r./pre.rb run.sh', /flag -r\.\/pre\.rb of ruby/],
    ['ruby3.2 -e evil', /ruby3\.2 is given code/],
    ['perl -Ilib run.sh', /flag -Ilib of perl/],
    ['perl -MEvil run.sh', /flag -MEvil of perl/],
    ['php -d auto_prepend_file=x run.sh', /flag -d of php/],
    ['lua5.4 -l evil run.sh', /flag -l of lua5\.4/],
    ['java -cp lib Main', /flag -cp of java/],
    ['java -javaagent:x.jar -jar server.jar', /flag -javaagent:x\.jar of java/],
    ['java -Djava.system.class.loader=Evil -jar server.jar', /flag -Djava\.system/],
    ['java @options -jar server.jar', /@options: is not a file/],
    ['dotnet --additional-deps x server.dll', /flag --additional-deps of dotnet/],
    ['dotnet run', /run: is not a file/],
    ['pwsh -NoProfile -Command evil', /pwsh is given code/],
    ['deno run -A https://evil.example/x.ts', /deno is given code or a URL/],
    ['deno run --env-file main.ts', /flag --env-file of deno/],
    ['deno task start', /task: is not a file/],
    ['bun run server', /server: may be the name of a script to bun/],
    ['bun --cwd /tmp ./main.ts', /flag --cwd of bun/],
    ['awk -f run.sh', /flag -f of awk/],
  ]
  for (const [line, says] of lines)
    it(line, () =>
      assert.rejects(scriptsOf(...words(line), { cwd }), (error) => error instanceof NotAdmitted && says.test(error.message)),
    )
})

describe('SUP-C2 every file that runs is found', () => {
  const lines: readonly (readonly [string, readonly string[]])[] = [
    ['bash run.sh', ['run.sh']],
    ['bash -eu -o pipefail link', ['run.sh']],
    ['bash -euo pipefail -- run.sh', ['run.sh']],
    ['bash --rcfile rc.sh run.sh -c evil', ['run.sh', 'rc.sh']],
    ['bash run.sh rc.sh notes.db --with=./plugin.so.1', ['run.sh', 'rc.sh', 'plugin.so.1']],
    ['deno run -A --allow-net=x.example --preload=./pre.ts main.ts', ['main.ts', 'pre.ts']],
    ['bun -r ./pre.ts ./main.ts', ['main.ts', 'pre.ts']],
    ['java -Xmx1g -Dspring.ai.mcp.server.stdio=true -jar server.jar --port 1', ['server.jar']],
    ['php -f run.sh', ['run.sh']],
    ['pwsh -NoProfile -ExecutionPolicy Bypass -File run.sh', ['run.sh']],
    ['acme --load ./plugin.so.1 notes.db folder.js', ['plugin.so.1']],
    ['acme', []],
  ]
  for (const [line, files] of lines)
    it(line, async () =>
      assert.deepEqual(
        await scriptsOf(...words(line), { cwd }),
        files.map((file) => join(cwd, file)),
      ),
    )
})

it('interpreters are known with their versions, and by nothing else', () => {
  for (const name of ['bash', 'ruby3.2', 'lua5.4', 'php8.3', 'perl5.36.0']) assert.ok(isRunner(name), name)
  for (const name of ['acme', 'constructor', '', '3.2', 'bashful']) assert.ok(!isRunner(name), name)
})

describe('the first line of a script', () => {
  const lines: readonly (readonly [string, string, readonly string[], boolean])[] = [
    ['/bin/bash', '/bin/bash', [], false],
    ['/bin/bash -e -u', '/bin/bash', ['-e -u'], false],
    ['/usr/bin/env bash', 'bash', [], true],
    ['/usr/bin/env -S deno run -A', 'deno', ['run', '-A'], true],
  ]
  for (const [line, program, args, byEnv] of lines)
    it(line, () => assert.deepEqual(interpreterOf(line.split(' '), 'x'), { program, args, byEnv }))
  for (const line of ['env', 'env -i bash', 'env -S A=b bash', 'env -u HOME bash', 'env -S bash "a b"', 'env -S $SHELL'])
    it(`SUP-C2 refused: ${line}`, () => assert.throws(() => interpreterOf(line.split(' '), 'x'), NotAdmitted))
})
