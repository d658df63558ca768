/** Secrets in what git is about to take, in real repositories: as options, and as hooks that git starts itself (SUP-C6). */
import assert from 'node:assert/strict'
import { type SpawnSyncReturns, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import test, { after, describe } from 'node:test'

const main = join(import.meta.dirname, '..', 'main.ts')
const root = mkdtempSync(join(tmpdir(), 'sekisho-secrets-git-'))
after(() => rmSync(root, { recursive: true, force: true }))
const token = `gh${'p_'}x1Y2z3A4b5C6d7E8f9G0h1J2k3L4m5N6o7P8`
const other = `gh${'p_'}Q1w2E3r4T5y6U7i8O9p0A1s2D3f4G5h6J7k8`

const environment = {
  ...{ PATH: `${dirname(process.execPath)}:${process.env['PATH']}`, HOME: root, NO_COLOR: '1', GIT_CONFIG_NOSYSTEM: '1' },
  ...{ GIT_AUTHOR_NAME: 'A', GIT_AUTHOR_EMAIL: 'a@example.com', GIT_COMMITTER_NAME: 'A', GIT_COMMITTER_EMAIL: 'a@example.com' },
}

class Repository {
  readonly folder: string
  constructor(name: string) {
    this.folder = join(root, name)
    mkdirSync(this.folder)
    this.git('init', '-q', '-b', 'main')
  }
  git(...args: string[]): SpawnSyncReturns<string> {
    return spawnSync('git', args, { cwd: this.folder, env: environment, encoding: 'utf8' })
  }
  secrets(args: readonly string[], input = ''): { code: number | null; out: string; err: string } {
    const words = ['--disable-warning=ExperimentalWarning', main, 'supply', 'secrets', ...args]
    const { status, stdout, stderr } = spawnSync(process.execPath, words, {
      cwd: this.folder,
      env: environment,
      encoding: 'utf8',
      input,
    })
    for (const text of [stdout, stderr]) assert.ok(!text.includes(token) && !text.includes(other))
    return { code: status, out: stdout, err: stderr }
  }
  put(file: string, text: string | Buffer): void {
    mkdirSync(dirname(join(this.folder, file)), { recursive: true })
    writeFileSync(join(this.folder, file), text)
  }
  commit(file: string, text: string, message = 'a change'): string {
    this.put(file, text)
    this.git('add', '-f', '--', file)
    assert.equal(this.git('commit', '-q', '--no-verify', '-m', message).status, 0)
    return this.git('rev-parse', 'HEAD').stdout.trim()
  }
  get head(): string {
    return this.git('rev-parse', 'HEAD').stdout.trim()
  }
}
const zero = '0'.repeat(40)
const places = ({ out }: { out: string }): string[] =>
  (JSON.parse(out) as { found: { commit?: string; file: string; line: number; column: number }[] }).found.map(
    ({ commit, file, line, column }) => `${commit === undefined ? '' : `${commit.slice(0, 7)} `}${file}:${line}:${column}`,
  )

describe('refused', () => {
  const repository = new Repository('refused')
  mkdirSync(join(root, 'none'))
  const cases: readonly (readonly [args: readonly string[], message: RegExp, input?: string])[] = [
    [[], /name what to read: paths, --staged or --pre-push/],
    [['--staged', 'a.txt'], /--staged stands alone/],
    [['--staged', '--pre-push'], /--staged stands alone/],
    [['--install-hook', 'a.txt'], /leave the paths out/],
    [['--pre-push', 'origin'], /not what git tells the hook pre-push[\s\S]*--install-hook/, 'refs/heads/main x\n'],
    [['--pre-push', 'origin'], /git log: .*bad object/, `refs/heads/main ${'a'.repeat(40)} refs/heads/main ${zero}\n`],
  ]
  for (const [args, message, input] of cases)
    test(args.join(' ') || 'nothing', () => {
      const { code, out, err } = repository.secrets(args, input)
      assert.deepEqual([code, out], [2, ''])
      assert.match(err, message)
    })
  test('both at once', () => {
    const { code, err } = repository.secrets(['--install-hook', '--uninstall-hook'])
    assert.notEqual(code, 0)
    assert.match(err, /cannot be used with option '--install-hook'/)
  })
  test('outside of a repository', () => {
    const { status, stderr } = spawnSync(process.execPath, [main, 'supply', 'secrets', '--staged'], {
      ...{ cwd: join(root, 'none'), env: { ...environment, GIT_CEILING_DIRECTORIES: root }, encoding: 'utf8' as const },
    })
    assert.equal(status, 2)
    assert.match(stderr, /fix run it in a repository of git/)
  })
})

describe('--staged', () => {
  test('only what is added, with its line; how to let it stand, and where to make it anew', () => {
    const repository = new Repository('staged')
    repository.commit('old.env', `# of before\nTOKEN=${token}\n`)
    repository.put('old.env', `# of before\nTOKEN=${token}\n\nOTHER=${other}\n`)
    repository.put('not-added.env', `TOKEN=${other}\n`)
    repository.git('add', 'old.env')
    const { code, out } = repository.secrets(['--staged'])
    assert.equal(code, 1)
    assert.match(out, /^old\.env:4:7 +GitHub token +certain +secret\/github-token +[0-9a-f]{64}\n/)
    assert.match(out, /rotate +GitHub token +GitHub: Settings/)
    assert.match(out, /sekisho:allow-secret/)
    const digest = /[0-9a-f]{64}/.exec(out)?.[0] as string
    repository.put('allowed', `${digest}\n`)
    assert.equal(repository.secrets(['--staged', '--allow', 'allowed']).code, 0)
    repository.put('old.env', `# of before\nTOKEN=${token}\n\nOTHER=${other} # sekisho:allow-secret, of a test\n`)
    repository.git('add', 'old.env')
    assert.deepEqual(repository.secrets(['--staged']), { code: 0, out: 'no secrets  1 file\n', err: '' })
  })

  test('before the first commit; odd names; a key over many lines; a file that says it is binary; settings of a person', () => {
    const repository = new Repository('odd')
    const pem = `-----BEGIN PRIVATE KEY-----\n${'MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7\n'.repeat(6)}-----END PRIVATE KEY-----\n`
    repository.put('ü b".pem', `first\n${pem}`)
    repository.put('.gitattributes', '*.bin binary\n')
    repository.put('hidden.bin', `TOKEN=${token}\n`)
    repository.put('picture.png', Buffer.concat([Buffer.from([0x89, 0, 1]), Buffer.from(token)]))
    for (const setting of [
      'diff.noprefix=true',
      'color.ui=always',
      'diff.external=false',
      'diff.mnemonicPrefix=true',
      'diff.context=0',
    ])
      repository.git('config', ...setting.split('='))
    repository.git('add', '.')
    const report = repository.secrets(['--staged', '--json'])
    assert.deepEqual(places(report).sort(), ['hidden.bin:1:7', 'ü b".pem:2:28'])
  })

  test('a rename adds nothing, and a line that is taken away is no finding', () => {
    const repository = new Repository('renamed')
    repository.commit('a.env', `TOKEN=${token}\n${'x\n'.repeat(20)}`)
    repository.git('mv', 'a.env', 'b.env')
    assert.equal(repository.secrets(['--staged']).code, 0)
    repository.put('b.env', 'x\n'.repeat(20))
    repository.git('add', 'b.env')
    assert.equal(repository.secrets(['--staged']).code, 0)
  })
})

describe('--pre-push', () => {
  const repository = new Repository('pushed')
  const bare = join(root, 'bare.git')
  repository.git('init', '-q', '--bare', bare)
  repository.git('remote', 'add', 'origin', bare)
  const first = repository.commit('a.txt', `TOKEN=${token}\n`)
  repository.git('push', '-q', 'origin', 'main')
  const push = (ours: string, theirs: string) =>
    repository.secrets(['--pre-push', '--json', '--', 'origin', bare], `refs/heads/main ${ours} refs/heads/main ${theirs}\n`)

  test('what the remote has is not looked at again; nothing to push; a branch that is deleted', () => {
    assert.deepEqual(places(push(first, first)), [])
    assert.deepEqual(places(push(first, zero)), [])
    assert.deepEqual(places(push(zero, first)), [])
    assert.equal(repository.secrets(['--pre-push', 'origin'], '').code, 0)
  })

  test('each commit counts, also one that a later one undoes; and its message', () => {
    const added = repository.commit('b.txt', `one\nOTHER=${other}\n`)
    repository.commit('b.txt', 'one\n', `take ${other} out again`)
    const { head } = repository
    const expected = [`${added.slice(0, 7)} b.txt:2:7`, `${head.slice(0, 7)} commit message:1:6`]
    assert.deepEqual(places(push(head, first)), expected)
    assert.deepEqual(places(push(head, zero)), expected)
    assert.deepEqual(places(push(head, 'b'.repeat(40))), expected)
  })

  test('what a merge adds that neither side had', () => {
    repository.git('push', '-q', '--no-verify', 'origin', 'main')
    const base = repository.head
    repository.git('checkout', '-q', '-b', 'side')
    repository.commit('a.txt', 'side\n')
    repository.git('checkout', '-q', 'main')
    repository.commit('a.txt', 'main\n')
    repository.git('merge', '-q', 'side')
    const merged = repository.commit('a.txt', `both\nTOKEN=${other}\n`, 'merge')
    assert.deepEqual(places(push(merged, base)), [`${merged.slice(0, 7)} a.txt:2:7`])
  })
})

describe('as hooks', () => {
  test('git refuses the commit and the push; the hooks that were there run, with all that git tells them; undone byte for byte', () => {
    const repository = new Repository('hooked')
    const bare = join(root, 'hooked.git')
    repository.git('init', '-q', '--bare', bare)
    repository.git('remote', 'add', 'origin', bare)
    const hooks = join(repository.folder, '.git/hooks')
    const theirs = '#!/bin/sh\necho "was here" >> ../commit-ran\n'
    const pushing = '#!/bin/sh\necho "$1" > ../push-told\ncat >> ../push-told\n'
    for (const [name, text] of [
      ['pre-commit', theirs],
      ['pre-push', pushing],
    ] as const) {
      writeFileSync(join(hooks, name), text)
      chmodSync(join(hooks, name), 0o750)
    }
    assert.match(
      repository.secrets(['--install-hook']).out,
      /^installed +pre-commit .*before the hook that was there\ninstalled +pre-push /,
    )
    assert.match(repository.secrets(['--install-hook']).out, /^already there +pre-commit .*\nalready there +pre-push/)
    assert.match(repository.secrets(['--install-hook', '--certain']).out, /^updated +pre-commit/)

    repository.put('a.env', `TOKEN=${token}\n`)
    repository.git('add', '.')
    const refused = repository.git('commit', '-qm', 'x')
    assert.equal(refused.status, 1)
    assert.match(refused.stdout + refused.stderr, /a\.env:1:7 +GitHub token/)
    assert.equal(existsSync(join(root, 'commit-ran')), false)

    repository.put('a.env', 'TOKEN=none\n')
    repository.git('add', '.')
    assert.equal(repository.git('commit', '-qm', 'x').status, 0)
    assert.equal(readFileSync(join(root, 'commit-ran'), 'utf8'), 'was here\n')

    const pushed = repository.git('push', 'origin', 'main')
    assert.equal(pushed.status, 0, pushed.stderr)
    const { head } = repository
    assert.equal(readFileSync(join(root, 'push-told'), 'utf8'), `origin\nrefs/heads/main ${head} refs/heads/main ${zero}\n`)
    repository.commit('b.env', `TOKEN=${token}\n`)
    assert.equal(repository.git('push', 'origin', 'main').status, 1)

    assert.match(repository.secrets(['--uninstall-hook']).out, /^removed +pre-commit .*is back\nremoved +pre-push .*is back\n$/)
    assert.deepEqual(
      [readFileSync(join(hooks, 'pre-commit'), 'utf8'), readFileSync(join(hooks, 'pre-push'), 'utf8')],
      [theirs, pushing],
    )
    assert.equal(statSync(join(hooks, 'pre-commit')).mode & 0o777, 0o750)
    assert.equal(existsSync(join(hooks, 'pre-commit.before-sekisho')), false)
    assert.match(repository.secrets(['--uninstall-hook']).out, /^not there +pre-commit/)
  })

  test('where there was none, none is left; a program with a quote in its path', () => {
    const repository = new Repository("it's")
    assert.match(repository.secrets(['--install-hook', '--staged']).out, /^installed +pre-commit .*pre-commit\n$/)
    repository.put('a.env', `TOKEN=${token}\n`)
    repository.git('add', '.')
    assert.equal(repository.git('commit', '-qam', 'x').status, 1)
    assert.match(repository.secrets(['--uninstall-hook', '--staged']).out, /^removed/)
    assert.equal(existsSync(join(repository.folder, '.git/hooks/pre-commit')), false)
  })

  test('is not put where hooks are of others, nor over what somebody changed', () => {
    const repository = new Repository('shared')
    repository.put('.husky/pre-commit', '#!/bin/sh\n')
    repository.git('config', 'core.hooksPath', '.husky')
    const shared = repository.secrets(['--install-hook'])
    assert.equal(shared.code, 2)
    assert.match(shared.err, /not of this repository alone[\s\S]*by hand/)
    assert.equal(readFileSync(join(repository.folder, '.husky/pre-commit'), 'utf8'), '#!/bin/sh\n')
    repository.git('config', '--unset', 'core.hooksPath')
    repository.secrets(['--install-hook', '--staged'])
    const file = join(repository.folder, '.git/hooks/pre-commit')
    const changed = `${readFileSync(file, 'utf8')}make lint\n`
    writeFileSync(file, changed)
    for (const flag of ['--install-hook', '--uninstall-hook']) {
      const { code, err } = repository.secrets([flag, '--staged'])
      assert.equal(code, 2)
      assert.match(err, /was edited since/)
    }
    assert.equal(readFileSync(file, 'utf8'), changed)
  })
})
