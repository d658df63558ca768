/**
 * Letters that look like ASCII letters. Not the list of Unicode's UTS 39, which is long and mostly exotic: what common
 * fonts draw alike in Cyrillic, Greek, Armenian, Cherokee, Coptic and Latin itself. Width, style and ligature variants
 * (full-width, mathematical, circled) need no row: compatibility normalisation (NFKC) undoes them.
 */
const alike: Readonly<Record<string, string>> = {
  a: 'аɑα',
  b: 'ЬьƄ',
  c: 'сϲⅽꞓ',
  d: 'ԁɗⅾꓒ',
  e: 'еҽєℯ',
  f: 'ƒꞙϝ',
  g: 'ɡցǥ',
  h: 'һհ',
  i: 'іιıɩӏꭵ',
  j: 'јϳյ',
  k: 'кκ',
  l: 'ӏⅼǀ',
  m: 'ⅿ',
  n: 'ոռ',
  o: 'оοօσ०০੦೦൦ꬽ',
  p: 'рρ⍴',
  q: 'ԛգզ',
  r: 'гꭇᴦ',
  s: 'ѕꜱʂ',
  t: 'тτ',
  u: 'սυʋᴜ',
  v: 'ѵνᴠ',
  w: 'ԝѡաᴡ',
  x: 'хχ᙮',
  y: 'уүγ',
  z: 'ᴢʐ',
  A: 'АΑᎪᗅ',
  B: 'ВΒᏴ',
  C: 'СϹᏟ',
  D: 'Ꭰᗞꓓ',
  E: 'ЕΕᎬ',
  F: 'Ϝᖴ',
  G: 'ԌᏀ',
  H: 'НΗᎻ',
  I: 'ІΙӀ',
  J: 'ЈᎫ',
  K: 'КΚᏦK',
  L: 'Ꮮᒪ',
  M: 'МΜᎷ',
  N: 'Νꓠ',
  O: 'ОΟՕ',
  P: 'РΡᏢ',
  Q: 'Ԛ',
  R: 'Ꭱᖇ',
  S: 'ЅՏᏚ',
  T: 'ТΤᎢ',
  U: 'Սᑌ',
  V: 'ѴᏙ',
  W: 'ԜᎳ',
  X: 'ХΧ',
  Y: 'ΥҮ',
  Z: 'ΖᏃ',
}

const table = new Map(Object.entries(alike).flatMap(([ascii, others]) => [...others].map((other) => [other, ascii] as const)))

/** The ASCII letter that a character looks like, if there is one and it is another. */
export const looksLike = (character: string): string | undefined => table.get(character)

/** Cyrillic words as a reading has them, where half of their letters are Latin: for patterns in Russian, in lower case. */
export const cyrillic = (pattern: string): string =>
  pattern.replace(/\p{Script=Cyrillic}/gu, (letter) => looksLike(letter) ?? letter)

/** Letters and digits that are mistaken for each other within ASCII, as one. */
const twins: Readonly<Record<string, string>> = { 0: 'o', 1: 'l', i: 'l', '|': 'l' }

/** What a name looks like at a glance: two names with one silhouette pass for each other. */
export function silhouette(name: string): string {
  let shape = ''
  for (const character of name.normalize('NFKC')) {
    if (/\p{M}|\p{Cf}|[\s_.\-/]/u.test(character)) continue
    const letter = (table.get(character) ?? character).normalize('NFD').charAt(0).toLowerCase()
    shape += twins[letter] ?? letter
  }
  return shape
}
