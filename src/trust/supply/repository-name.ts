/** One spelling for the many that git, npm and SLSA have: `https://host/path`, small letters. */
export function repositoryName(given: unknown): string | undefined {
  if (typeof given !== 'string' || given === '') return undefined
  const short = /^(?:(github|gitlab):)?([\w.-]+\/[\w.-]+)$/.exec(given)
  if (short) return `https://${short[1] ?? 'github'}.com/${short[2]}`.toLowerCase().replace(/\.git$/, '')
  const url = given
    .replace(/^git\+/, '')
    .replace(/^(ssh:\/\/)?git@([^:/]+)[:/]/, 'https://$2/')
    .replace(/^(git|ssh|http):\/\//, 'https://')
  if (!URL.canParse(url)) return undefined
  const { host, pathname } = new URL(url)
  return `https://${host}${pathname.split('@', 1)[0]}`
    .toLowerCase()
    .replace(/\/$/, '')
    .replace(/\.git$/, '')
}
