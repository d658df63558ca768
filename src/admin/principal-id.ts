/** The id of somebody who comes with tokens, as audit records show it. Names and addresses are none: they change hands. */
const form = /^(user|application):[^\s:]+$/

/** Throws for any other word. */
export function tokenHolder(text: string): string {
  if (form.test(text)) return text
  const why = text.startsWith('key:')
    ? 'an API key is revoked by taking it out of identity.keys'
    : 'write it as the audit log shows it, for example user:TENANT.OBJECT-ID; find it with: sekisho audit search --text login'
  throw Object.assign(new Error(`"${text}" is not the id of a user or an application`), { fix: why })
}
