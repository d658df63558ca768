/** Lets a number of tasks run at once; the others wait in line. */
export function createTurnstile(atOnce: number): <T>(task: () => Promise<T>) => Promise<T> {
  let free = atOnce
  const line: (() => void)[] = []
  return async (task) => {
    if (free > 0) free -= 1
    else await new Promise<void>((enter) => line.push(enter))
    try {
      return await task()
    } finally {
      const next = line.shift()
      if (next) next()
      else free += 1
    }
  }
}
