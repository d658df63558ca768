/** The standing stream of a legacy session (GET): notices and questions that belong to no request. */
import type { Frame, Reply } from '../pipeline/exchange.ts'
import type { Cleared } from '../pipeline/judge.ts'
import type { Parcel } from '../pipeline/parcel.ts'
import { type Message, writeMessage } from '../protocol/json-rpc.ts'
import type { Conversation } from './conversation.ts'

export class StandingReply implements Reply {
  readonly #frame: Frame
  readonly #conversation: Conversation
  readonly #write: (text: string) => Promise<void> | undefined
  readonly #ended: () => void

  constructor(frame: Frame, conversation: Conversation, write: (text: string) => Promise<void> | undefined, ended: () => void) {
    this.#frame = frame
    this.#conversation = conversation
    this.#write = write
    this.#ended = ended
  }

  deliver(parcel: Cleared): Promise<Parcel | undefined> | undefined {
    const send = (message: Message): Promise<void> | undefined => this.#write(JSON.stringify(writeMessage(message)))
    if (parcel.leg === 'ask') return this.#conversation.ask(parcel, this.#frame.stop, send)
    if (parcel.leg === 'notice')
      return send({ kind: 'notification', method: parcel.method, params: parcel.body })?.then(() => undefined)
    return undefined
  }

  refuse(): void {
    this.#ended()
  }
}
