/** Who follows which resource over one link: the server is told of the first and of the last, because it knows us as one. */
const urisMax = 4096

export class Subscribers {
  readonly #followers = new Map<string, Set<unknown>>()

  /** True for the first; for everyone, where there are more resources than can be counted. */
  add(uri: string, follower: unknown): boolean {
    const followers = this.#followers.get(uri)
    followers?.add(follower)
    if (followers === undefined && this.#followers.size < urisMax) this.#followers.set(uri, new Set([follower]))
    return followers === undefined
  }

  /** True when nobody follows it any more. */
  remove(uri: string, follower: unknown): boolean {
    const followers = this.#followers.get(uri)
    followers?.delete(follower)
    if (followers && followers.size > 0) return false
    this.#followers.delete(uri)
    return true
  }

  /** Everything that was followed by this one alone, and is by nobody now. */
  removeAll(follower: unknown): readonly string[] {
    const followed = [...this.#followers].filter(([, followers]) => followers.has(follower))
    return followed.map(([uri]) => uri).filter((uri) => this.remove(uri, follower))
  }
}
