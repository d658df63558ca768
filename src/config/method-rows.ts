/** `methods:` rows of the operator's own behind our method table. A row concerns the whole server and names no subject. */
import { z } from 'zod'
import { classes, type Method } from '../protocol/methods.ts'

const kinds = {
  call: { sender: 'client', reply: 'result', concerns: 'server' },
  ask: { sender: 'server', reply: 'answer', concerns: 'ask' },
  notice: { sender: 'either', reply: undefined, concerns: 'server' },
} as const

export const methodRowSchema = z
  .strictObject({
    leg: z.enum(['call', 'ask', 'notice']),
    reply: z.enum(['result', 'answer']).optional(),
    class: z.enum(classes).describe('How much harm it may do'),
  })
  .transform((row, context): Method => {
    const { sender, reply, concerns } = kinds[row.leg]
    if (row.reply !== undefined && row.reply !== reply) {
      const fix = reply === undefined ? 'remove "reply": nothing answers a notice' : `write reply: ${reply}`
      context.addIssue({ code: 'custom', path: ['reply'], message: `does not fit the leg "${row.leg}"`, params: { fix } })
    }
    return { sender, request: row.leg, ...(reply && { reply }), concerns, class: row.class }
  })
