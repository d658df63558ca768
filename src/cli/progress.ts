/** How far it is, on stderr, and only when it takes longer than a second. */
export function progressLine(doing: string, things: string) {
  const began = performance.now()
  let shown = 0
  return {
    show(seen: number, total: number): void {
      const now = performance.now()
      if (now - began < 1000 || now - shown < 500) return
      shown = now
      const line = `${doing}: ${seen} of ${total} ${things}`
      process.stderr.write(process.stderr.isTTY ? `\r${line}` : `${line}\n`)
    },
    clear(): void {
      if (shown > 0 && process.stderr.isTTY) process.stderr.write('\r\u001b[K')
    },
  }
}
