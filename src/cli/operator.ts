import { userInfo } from 'node:os'

/** Who is typing, for the record; the operating system vouches for it. A container may know no name. */
export function operator(): string {
  try {
    return `cli:${userInfo().username}`
  } catch {
    return `cli:uid-${process.getuid?.() ?? 'unknown'}`
  }
}
