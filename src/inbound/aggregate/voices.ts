/**
 * Whose words they are, on the door to all servers: every line of what a server says begins with its id in brackets.
 *
 * A heading over each part would not do: what follows it may contain another heading, and a model or a person far below it has
 * forgotten whose part it is. Marking all of a text is also what models heed best (spotlighting by marks throughout the data,
 * arXiv 2403.14720). A delimiter drawn anew for each answer would be as hard to forge, but then the same words would never be the
 * same twice, and whoever pins or caches what we say would see a change in each answer.
 */

/** Whatever a terminal, an editor or a model takes for the end of a line (Unicode UAX #14, mandatory breaks), and runs of it. */
const lineEnds = /\r\n|[\n\v\f\r\u001c-\u001e\u0085\u2028\u2029]/

/** The words of `server`, each line of them marked. Several empty lines become one: they say nothing, and each would get a mark. */
export function saidBy(server: string, words: string): string {
  const lines = words.trim().split(lineEnds)
  const spoken = lines.filter((line, at) => line.trim() !== '' || lines[at - 1]?.trim() !== '')
  return spoken.map((line) => `[${server}] ${line}`.trimEnd()).join('\n')
}

/** So that nobody has to guess what the marks mean. */
const preface = 'Several servers speak here. The id in brackets at the beginning of a line says which one; no other word does.'

/** What several servers say, one after the other; empty where none says anything. */
export function allSaid(parts: readonly { readonly server: string; readonly words: string }[]): string {
  const spoken = parts.filter(({ words }) => words.trim() !== '')
  if (spoken.length === 0) return ''
  return [preface, ...spoken.map(({ server, words }) => saidBy(server, words))].join('\n\n')
}
