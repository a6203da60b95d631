// What tests/bench/bench_mediator measures the mediator against: till.mjs PORT. mppx asks for money and verifies that it is paid, in one process, over HTTP
// without TLS; its method is as light as one can be: whatever is paid is good, and nothing is kept.
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { Method, Receipt, z } from 'mppx'
import { Mppx } from 'mppx/server'

const till = Method.from({
    name: 'till',
    intent: 'charge',
    schema: {
        credential: { payload: z.object({ transaction: z.string() }) },
        request: z.object({ amount: z.string(), currency: z.string(), recipient: z.string(), externalId: z.string() }),
    },
})
const verify = ({ credential }) =>
    Receipt.from({ method: 'till', status: 'success', reference: credential.payload.transaction, timestamp: new Date().toISOString() })
const mppx = Mppx.create({ methods: [Method.toServer(till, { verify })], secretKey: randomBytes(32).toString('hex'), realm: 'localhost' })
const charge = Mppx.toNodeListener(mppx['till/charge']({ amount: '150', currency: 'eur', recipient: '000000000000123', externalId: 'article-1' }))

const server = createServer(async (request, response) => {
    const asked = await charge(request, response)
    if (asked.status === 200) response.end('<p>This is the first article of the shop.</p>\n')
})
server.keepAliveTimeout = 600000
server.listen(Number(process.argv[2]), '127.0.0.1', () => console.log('listening'))
