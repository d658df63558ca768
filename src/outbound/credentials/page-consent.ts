import type { Consent } from './credential.ts'

/** Where others read what we are as a client of theirs (draft-ietf-oauth-client-id-metadata-document). */
export const descriptionPath = '/.well-known/sekisho-client'

/**
 * Consent on the pages of our own authorization server (identity/front/pages/connect.ts), which is at `base`. `linkFor`: says
 * there whose connection it is to be; sealed, because a person carries it through a chat and a browser.
 */
export const pageConsent = (base: () => string, linkFor: (server: string, user: string) => string): Consent => ({
  get redirectUri() {
    return `${base()}/oauth/connected`
  },
  get clientMetadataUrl() {
    return base().startsWith('https:') ? base() + descriptionPath : undefined
  },
  connectUrl: (server, { id }) => `${base()}/oauth/connect/${server}?for=${encodeURIComponent(linkFor(server, id))}`,
})
