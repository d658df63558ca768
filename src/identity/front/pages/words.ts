/** What the pages say, in every language they speak. A key that one language lacks does not compile. */
export const languages = ['en', 'ja'] as const
export type Language = (typeof languages)[number]

type OwnScope = 'mcp:read' | 'mcp:write' | 'mcp:destructive' | 'offline_access'

const en = {
  consentTitle: 'Allow access?',
  consentHeading: (client: string) => `“${client}” asks for access`,
  consentLead: 'A program wants to use MCP servers in your name. Allow it only if you have just started this yourself.',
  program: 'Program',
  nameOnly: 'This name is its own claim and has not been checked.',
  verifiedHost: 'Described at',
  hostVerified: 'The description was read from this address just now.',
  unregistered: 'This program registered itself. Nobody has checked who is behind it.',
  operator: 'Known to the operator of this gateway.',
  sentTo: 'The permission goes to',
  loopback: 'The permission goes to a program on this computer. Any program running here could be the one that receives it.',
  wants: 'It would be allowed to',
  mayDo: 'It may',
  clientId: 'Client ID',
  servers: 'On the servers',
  allServers: 'all servers that you may use',
  scopes: {
    'mcp:read': ['Read', 'list and read what the servers offer, and call tools that only read'],
    'mcp:write': ['Change', 'call tools that write or create'],
    'mcp:destructive': ['Destroy', 'call tools that may delete or overwrite, and tools whose effect is not known'],
    offline_access: ['Stay', 'keep this access until you take it back'],
  } as Readonly<Record<OwnScope, readonly [name: string, meaning: string]>>,
  otherScope: 'not known here',
  next: (provider: string) => `After you allow it, you sign in at ${provider}.`,
  allow: 'Allow',
  deny: 'Deny',
  again: {
    another: 'You are signed in as somebody else than before, so what was agreed to does not count. Please decide again.',
    changed: 'What the program says of itself has changed since this page was shown. Please read it again, and decide anew.',
  },
  goingTitle: 'One moment',
  going: (provider: string) => `You are being taken to ${provider} to sign in.`,
  goOn: 'Continue',
  deniedTitle: 'Not allowed',
  denied: 'Nothing was allowed. You are being taken back to the program.',
  problemTitle: 'This did not work',
  problems: {
    expired: 'This page has expired, or belongs to another browser window. Start again from your program.',
    forged: 'This answer did not come from our own page, so nothing was done. Start again from your program.',
    denied: 'The sign-in was refused by your identity provider. Ask your administrator if you think you should have access.',
    unavailable: 'The identity provider cannot be reached at the moment. Try again in a few minutes.',
    refused: 'The sign-in did not succeed. Try again; if it keeps failing, tell your administrator the time it happened.',
    crowded: 'Too many sign-ins are waiting at the moment, so yours was not begun. Try again in a minute.',
    often: 'Too many sign-ins were begun from your network. Wait a minute and start again from your program.',
    long: 'The request of the program is too long, so it was not read. Tell whoever made the program.',
    unknown: 'There is no such page.',
    client: 'The program cannot be identified, so you were not sent back to it. Nothing was allowed.',
  },
  consentsTitle: 'What you have allowed',
  consentsNone: 'You have not allowed anything.',
  consentsGiven: 'Allowed on',
  revoke: (client: string) => `Take back from “${client}”`,
  connectHeading: (server: string) => `Connect “${server}”`,
  connectLead:
    'You will be asked at that service to let this gateway use it in your name. You can take that back there at any time.',
  signedInAs: 'Signed in as',
  signOut: 'Sign out',
  signOutLead: 'Ends your sign-in on these pages. You may still be signed in at your identity provider.',
  added: 'new',
  connectAnother:
    'This link is for somebody else than the person who is signed in here. If it is yours, sign in with your own account; if somebody sent it to you, close this page.',
  connectSignIn: 'Sign in first, so that the connection is yours and nobody else’s.',
  connect: 'Connect',
  connectedHeading: (server: string) => `“${server}” is connected`,
  connectedLead: 'Go back to your program and try again. You can close this page.',
  notConnected: 'The service was not connected.',
  signInFirst: 'Sign in to see what you have allowed.',
  signIn: 'Sign in',
}

const ja: typeof en = {
  consentTitle: 'アクセスを許可しますか',
  consentHeading: (client) => `「${client}」がアクセスを求めています`,
  consentLead:
    'プログラムがあなたの名前で MCP サーバーを使おうとしています。いま自分で始めた操作でなければ、許可しないでください。',
  program: 'プログラム',
  nameOnly: 'この名前はプログラム自身の申告で、確認されていません。',
  verifiedHost: '説明の掲載元',
  hostVerified: '説明はたった今このアドレスから読み取りました。',
  unregistered: 'このプログラムは自分で登録しました。誰が作ったかは確認されていません。',
  operator: 'このゲートウェイの管理者が登録したプログラムです。',
  sentTo: '許可の送り先',
  loopback: '許可はこのコンピューター上のプログラムに送られます。ここで動くどのプログラムも受け取る可能性があります。',
  wants: '許可される操作',
  mayDo: '許可した操作',
  clientId: 'クライアント ID',
  servers: '対象のサーバー',
  allServers: 'あなたが使えるすべてのサーバー',
  scopes: {
    'mcp:read': ['読み取り', 'サーバーの内容を一覧・閲覧し、読み取りだけのツールを使う'],
    'mcp:write': ['変更', '書き込みや作成をするツールを使う'],
    'mcp:destructive': ['破壊的な操作', '削除・上書きのおそれがあるツールや、影響が不明なツールを使う'],
    offline_access: ['継続', '取り消されるまで、このアクセスを保つ'],
  },
  otherScope: 'ここでは知られていない権限',
  next: (provider) => `許可すると、次に ${provider} でサインインします。`,
  allow: '許可する',
  deny: '許可しない',
  again: {
    another: '前と違う人としてサインインしたため、先ほどの許可は無効です。もう一度お決めください。',
    changed: 'このページの表示後に、プログラムの自己申告の内容が変わりました。もう一度読んでお決めください。',
  },
  goingTitle: 'お待ちください',
  going: (provider) => `サインインのため ${provider} に移動します。`,
  goOn: '続ける',
  deniedTitle: '許可しませんでした',
  denied: '何も許可していません。プログラムに戻ります。',
  problemTitle: 'うまくいきませんでした',
  problems: {
    expired: 'このページは期限切れか、別のブラウザーのものです。プログラムからやり直してください。',
    forged: 'この回答は当方のページから送られたものではないため、何もしていません。プログラムからやり直してください。',
    denied: '認証プロバイダーがサインインを拒否しました。アクセスできるはずの場合は管理者にお尋ねください。',
    unavailable: '認証プロバイダーに接続できません。数分後にもう一度お試しください。',
    refused: 'サインインできませんでした。繰り返し失敗する場合は、時刻を管理者に伝えてください。',
    crowded: '待機中のサインインが多すぎるため、始められませんでした。1 分後にもう一度お試しください。',
    often: 'お使いのネットワークから始められたサインインが多すぎます。1 分待って、プログラムからやり直してください。',
    long: 'プログラムの要求が長すぎるため、読み取りませんでした。プログラムの作成者にお知らせください。',
    unknown: 'このページはありません。',
    client: 'プログラムを確認できないため、元の場所には戻していません。何も許可されていません。',
  },
  consentsTitle: 'あなたが許可したもの',
  consentsNone: '許可したものはありません。',
  consentsGiven: '許可日',
  revoke: (client) => `「${client}」の許可を取り消す`,
  connectHeading: (server) => `「${server}」を接続`,
  connectLead:
    'このゲートウェイがあなたの名前でそのサービスを使うことの許可を、サービス側で求められます。許可はいつでもそこで取り消せます。',
  signedInAs: 'サインイン中:',
  signOut: 'サインアウト',
  signOutLead: 'このサイトでのサインインを終了します。認証プロバイダーでのサインインは続いている場合があります。',
  added: '新規',
  connectAnother:
    'このリンクは、ここでサインインしている人のものではありません。ご自分のリンクなら、ご自分のアカウントでサインインしてください。誰かから送られたものなら、このページを閉じてください。',
  connectSignIn: '接続があなただけのものになるように、まずサインインしてください。',
  connect: '接続する',
  connectedHeading: (server) => `「${server}」を接続しました`,
  connectedLead: 'プログラムに戻ってもう一度お試しください。このページは閉じてかまいません。',
  notConnected: 'サービスを接続できませんでした。',
  signInFirst: '許可したものを見るにはサインインしてください。',
  signIn: 'サインイン',
}

export type Words = typeof en
const all: Readonly<Record<Language, Words>> = { en, ja }

/** The first language of the browser that we speak (RFC 9110, 12.5.4, in the order of its weights). */
export function languageOf(accepted: string | undefined): Language {
  const wanted = (accepted ?? '')
    .split(',')
    .map((range) => {
      const [tag = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
      const weight = parameters.find((parameter) => parameter.startsWith('q='))
      return { primary: tag.split('-')[0], weight: weight === undefined ? 1 : Number(weight.slice(2)) }
    })
    .filter(({ weight }) => weight > 0)
    .sort((one, other) => other.weight - one.weight)
  const found = wanted.find(({ primary }) => languages.some((language) => language === primary))
  return (found?.primary as Language | undefined) ?? 'en'
}

export const wordsIn = (language: Language): Words => all[language]
