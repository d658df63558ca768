/** Many deadlines, one timer: precise to {@link tickMs}, and almost free to set and to take back. */
export interface Deadline {
  /** `performance.now()` milliseconds. */
  dueAt: number
  expired(): void
}

const tickMs = 50
const waiting = new Set<Deadline>()
let timer: NodeJS.Timeout | undefined

export function watch(deadline: Deadline): void {
  waiting.add(deadline)
  timer ??= setInterval(tick, tickMs).unref()
}

export function unwatch(deadline: Deadline): void {
  waiting.delete(deadline)
}

function tick(): void {
  const now = performance.now()
  for (const deadline of waiting) {
    if (deadline.dueAt > now) continue
    waiting.delete(deadline)
    deadline.expired()
  }
  if (waiting.size > 0) return
  clearInterval(timer)
  timer = undefined
}
