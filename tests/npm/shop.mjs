// A server of the Payment scheme that telepay did not write, before a payer device: shop.mjs PORT MEDIATOR_PORT. mppx asks for the money, with its own 402 for
// the order that a mediator signed and the key that both know; all else is the mediator's.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { Challenge, Method, z } from 'mppx'
import { Mppx } from 'mppx/server'

const [port, beyond] = process.argv.slice(2)
const key = readFileSync('med/challenge.key', 'latin1')
const emv = Method.from({
    name: 'emv',
    intent: 'charge',
    schema: {
        credential: { payload: z.object({ transaction: z.string(), device: z.optional(z.string()), claim: z.optional(z.string()) }) },
        request: z.looseObject({ amount: z.string(), currency: z.string(), recipient: z.string(), externalId: z.string() }),
    },
})

async function own402(request, theirs) {
    const { realm, request: order, expires, description } = Challenge.fromResponse(theirs)
    // `description` is a word of mppx's own beside a request, so the request is given by its hook
    const charge = Method.toServer(emv, { request: () => order, verify: () => Promise.reject(new Error('the mediator verifies')) })
    const mppx = Mppx.create({ methods: [charge], secretKey: key, realm })
    const asked = await mppx['emv/charge']({ ...order, expires, description })(request)
    if (!Challenge.verify(Challenge.fromResponse(theirs), { secretKey: key })) throw new Error('the mediator binds its challenge in another way')
    console.log(asked.status === 402 ? 'asked for money by mppx' : `mppx says ${asked.status}`)
    return asked.challenge
}

const tls = { cert: readFileSync('med/pki/server.pem'), key: readFileSync('med/pki/server.key') }
createServer(tls, async (from, to) => {
    const pieces = []
    for await (const piece of from) pieces.push(piece)
    const { host, connection, ...headers } = from.headers
    const body = pieces.length > 0 ? Buffer.concat(pieces) : undefined
    let answer = await fetch(`https://localhost:${beyond}${from.url}`, { method: from.method, headers, body })
    if (answer.status === 402 && from.headers.authorization === undefined && from.url.startsWith('/s/'))
        answer = await own402(new Request(`https://localhost:${port}${from.url}`, { method: from.method, headers }), answer)
    to.writeHead(answer.status, Object.fromEntries([...answer.headers].filter(([name]) => name !== 'content-length' && name !== 'transfer-encoding')))
    to.end(Buffer.from(await answer.arrayBuffer()))
}).listen(Number(port), '127.0.0.1', () => console.log('listening'))
