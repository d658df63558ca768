import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { looksLike, silhouette } from './confusables.ts'
import { headAt, headsOf } from './heads.ts'
import { leaf } from './leaves.ts'
import { matches, phrases } from './phrases.ts'
import { paragraph, readingOf } from './reading.ts'
import { shownAt, visible } from './shown.ts'

describe('a reading', () => {
  const cases: readonly (readonly [source: string, text: string])[] = [
    ['plain text', 'plain text'],
    ['a  b\t\u00a0c', 'a b c'],
    ['a\r\nb\n \nc', `a\nb${paragraph}c`],
    ['te\u200bll\u00ad th\u2060em', 'tell them'],
    ['\u{e0048}\u{e0069}!', 'Hi!'],
    ['**do** `it` __not__ _tell_ a_b', 'do "it" not tell a_b'],
    ['ｄｏ 𝐝𝐨 ⓓⓞ', 'do do do'],
    ['dо nоt', 'do not'],
    ['müssen, Straße, déjà', 'mussen, Strasse, deja'],
    ['mu\u0308ssen i\u0336t', 'mussen it'],
    ['“it’s” – «it»', '"it\'s" - "it"'],
    ['&lt;b&gt; &#105;&#x74; &nbsp;a&unknown;', '<b> it  a&unknown;'],
    ['\\u0069t \\x69t a\\nb C:\\users\\name', 'it it a\nb C:\\users\\name'],
    ['%69t 100%', 'it 100%'],
    ['\u001b[31mred\u001b[0m', 'red'],
    ['ﾕｰｻﾞｰ が か\u3099', 'ユーザー が が'],
    ['\ud800', '\ud800'],
  ]
  for (const [source, text] of cases) it(JSON.stringify(source), () => assert.equal(readingOf(source).text, text))

  it('knows where each letter came from', () => {
    const source = 'a  te\u200bll \u{e0048}\u{e0069} &lt;x'
    const reading = readingOf(source)
    const span = (word: string): string => {
      const at = reading.text.indexOf(word)
      const { start, end } = reading.span(at, at + word.length)
      return source.slice(start, end)
    }
    assert.equal(span('tell'), 'te\u200bll')
    assert.equal(span('Hi'), '\u{e0048}\u{e0069}')
    assert.equal(span('<'), '&lt;')
    assert.deepEqual(reading.span(reading.text.length, reading.text.length), { start: source.length, end: source.length })
  })
  it('keeps its length in lower case', () => {
    const { text, lower } = readingOf('İSTANBUL ẞ')
    assert.equal(lower.length, text.length)
  })
})

describe('phrases', () => {
  const found = (text: string, ...patterns: readonly string[]): number =>
    matches(leaf('', text, 'prose').reading, phrases(...patterns)).length
  it('are found by their first word', () => {
    assert.equal(found('Do it. Then do it again.', String.raw`\bdo it\b`), 2)
    assert.equal(found('undo it', String.raw`\bdo it\b`), 0)
    assert.equal(found('never ever; not', String.raw`\b(?:never|not)\b`), 2)
    assert.equal(found('the ai must', String.raw`\b(?:the |an? )?<model> <must>`), 1)
  })
  it('stay within a sentence, and within 60 characters', () => {
    assert.equal(found('send it to me', String.raw`\bsend~ to me`), 1)
    assert.equal(found('send the file a.txt to me', String.raw`\bsend~ to me`), 1)
    assert.equal(found('send it. Come to me', String.raw`\bsend~ to me`), 0)
    assert.equal(found(`send ${'x'.repeat(80)} to me`, String.raw`\bsend~ to me`), 0)
  })
  it('cannot be written so that they take long', () => {
    for (const pattern of [
      String.raw`\ba+b`,
      String.raw`\ba*`,
      String.raw`\bab{2,}`,
      String.raw`\babc~~~d`,
      String.raw`\b\w{1,3}x`,
    ])
      assert.throws(() => phrases(pattern), /a phrase/)
  })
  it('have the heads of all that they match', () => {
    const heads = headsOf(String.raw`\b(?:do[ \n]not|(?:un)?tell(?:s|ing)?|i\b)`)
    for (const word of ['do not', 'untell', 'telling'] as const) assert.ok(heads?.includes(headAt(word, 0)), word)
    assert.equal(headsOf('<tag>'), undefined)
    assert.equal(headAt('do!', 0), headAt('do', 0))
    assert.notEqual(headAt('dog', 0), headAt('do', 0))
  })
})

describe('look-alikes', () => {
  it('are the letters that they look like', () => {
    for (const [one, other] of [
      ['а', 'a'],
      ['е', 'e'],
      ['Η', 'H'],
      ['ѕ', 's'],
    ] as const)
      assert.equal(looksLike(one), other)
    for (const letter of ['a', 'ж', 'б', 'λ', 'é', '日']) assert.equal(looksLike(letter), undefined)
  })
  it('make one silhouette of names that pass for each other', () => {
    for (const name of [
      'send_emаil',
      'Send-Email',
      'sendEmail',
      'ｓｅｎｄ_ｅｍａｉｌ',
      'send_emai1',
      'send\u200b_email',
      'sénd_email',
    ])
      assert.equal(silhouette(name), silhouette('send_email'), name)
    for (const name of ['send_mail', 'resend_email', 'email']) assert.notEqual(silhouette(name), silhouette('send_email'))
  })
})

describe('what is shown', () => {
  const cases: readonly (readonly [text: string, shown: string])[] = [
    ['a b', 'a b'],
    ['a\u200bb', 'a⟦U+200B ZERO WIDTH SPACE⟧b'],
    ['a\n\nb', 'a⏎⏎b'],
    [' '.repeat(137), '⟦137 × U+0020 SPACE⟧'],
    ['\u{e0068}\u{e0069}', '⟦2 TAG CHARACTERS "hi"⟧'],
    ['\u001b[0m', '⟦U+001B ESCAPE⟧[0m'],
    ['⟦U+200B⟧', '⟦U+27E6 BRACKET⟧U+200B⟦U+27E7 BRACKET⟧'],
    ['\ud800', '⟦U+D800 HALF A SURROGATE PAIR⟧'],
    ['\ue000', '⟦U+E000 NOT SHOWN⟧'],
    ['\u00a0', '⟦U+00A0 NO-BREAK SPACE⟧'],
    ['日本 😀 é', '日本 😀 é'],
  ]
  for (const [text, shown] of cases) it(JSON.stringify(text).slice(0, 40), () => assert.equal(visible(text), shown))
  it('is cut around the span, between characters', () => {
    const text = `${'😀'.repeat(50)}x${'😀'.repeat(50)}`
    assert.equal(shownAt(text, 100, 101).shown, `${'😀'.repeat(20)}x${'😀'.repeat(20)}`)
    assert.match(shownAt('y'.repeat(5000), 0, 5000).shown, /^y{120}⟦4760 MORE⟧y{120}$/)
  })
})
