import { clientPlaces } from '../../config/client-places.ts'
import { thisProgram } from '../this-program.ts'

/** Whose clients an inventory looks at: nobody's where it was not asked for. */
export function clientsOf(asked: boolean | undefined, home: string | undefined) {
  if (!asked && home !== undefined) throw new Error('--home is where to look for clients; ask for them with --clients')
  return asked ? { places: clientPlaces(home), projects: [process.cwd()], launcher: thisProgram() } : undefined
}
