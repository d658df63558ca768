/**
 * Which ports to look at: those that a person names, or those that somebody listens on where loopback leads. The latter is read
 * from what Linux says of itself (proc_pid_net(5)); nothing is scanned to find it out.
 */
export interface Door {
  readonly address: string
  readonly port: number
}

const portMax = 65_535
/** The state TCP_LISTEN, as the kernel numbers states. */
const listening = '0A'

/** `3000-3999,8080`: ascending, each once. Throws for anything else. */
export function readPorts(text: string): readonly number[] {
  const ports = new Set<number>()
  for (const part of text.split(',')) {
    const [, from = '', to = from] = /^\s*(\d{1,5})(?:-(\d{1,5}))?\s*$/.exec(part) ?? []
    const [first, last] = [Number(from), Number(to)]
    if (from === '' || first < 1 || last > portMax || first > last)
      throw Object.assign(new Error(`"${part.trim().slice(0, 40)}" names no ports`), {
        fix: `write numbers from 1 to ${portMax}, and ranges of them: 3000-3999,8080`,
      })
    for (let port = first; port <= last; port++) ports.add(port)
  }
  return [...ports].sort((a, b) => a - b)
}

/** Where this machine answers itself: every listener on a loopback address, or on all addresses. `texts`: of tcp and tcp6. */
export function listeningDoors(texts: readonly string[]): readonly Door[] {
  const doors = new Map<string, Door>()
  for (const line of texts.flatMap((text) => text.split('\n').slice(1))) {
    const [, local = '', , state] = line.trim().split(/\s+/)
    const [digits = '', port = ''] = local.split(':')
    if (state !== listening) continue
    for (const address of reachable(digits)) doors.set(`${address} ${port}`, { address, port: Number.parseInt(port, 16) })
  }
  return [...doors.values()].sort((a, b) => a.port - b.port || (a.address < b.address ? -1 : 1))
}

/** The kernel prints an address in words of 32 bits, each in the order of this machine, which is little-endian wherever Node runs. */
function reachable(digits: string): readonly string[] {
  const bytes = (digits.match(/.{8}/g) ?? []).flatMap((word) => [...Buffer.from(word, 'hex')].reverse())
  const isMapped = bytes.length === 16 && bytes.slice(0, 12).join() === '0,0,0,0,0,0,0,0,0,0,255,255'
  const four = bytes.length === 4 ? bytes : isMapped ? bytes.slice(12) : undefined
  if (four !== undefined) return four[0] === 127 ? [four.join('.')] : four.every((byte) => byte === 0) ? ['127.0.0.1'] : []
  if (bytes.length !== 16 || bytes.slice(0, 15).some((byte) => byte !== 0)) return []
  return bytes[15] === 1 ? ['::1'] : bytes[15] === 0 ? ['127.0.0.1', '::1'] : []
}
