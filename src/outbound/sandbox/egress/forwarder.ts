/**
 * A program that runs inside the sandbox, before the server: `forwarder SOCKET PORT COMMAND…`. The sandbox has a loopback of its own
 * and nothing else; what connects to PORT there is handed on to the proxy behind SOCKET. Then it starts the server, with the streams
 * that it has itself, and ends as the server ends. It holds no right that the server does not have. Imports nothing of ours.
 */
import { spawn } from 'node:child_process'
import { connect, createServer, type Socket } from 'node:net'

const [path = '', port = '', program = '', ...args] = process.argv.slice(2)

const forwarder = createServer({ allowHalfOpen: true }, (inside: Socket) => {
  const outside = connect({ path, allowHalfOpen: true })
  for (const [from, to] of [
    [inside, outside],
    [outside, inside],
  ] as const) {
    from.on('error', () => to.destroy())
    from.once('close', () => to.destroySoon())
    from.pipe(to)
  }
})
forwarder.once('error', (error) => give(`the way out of the sandbox cannot be opened: ${error.message}`))
forwarder.listen(Number(port), '127.0.0.1', () => {
  const server = spawn(program, args, { stdio: 'inherit' })
  server.once('error', (error) => give(`could not be started: ${error.message}`))
  server.once('exit', (code, signal) => process.exit(signal === null ? (code ?? 1) : 1))
})

function give(up: string): void {
  process.stderr.write(`${up}\n`)
  process.exit(127)
}
