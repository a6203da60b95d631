// Clients of the Payment scheme that telepay did not write: judge.mjs CLIENT URL [TIMES]. The payer device is `telepay credential`; each answer is told as a
// line of JSON: status, receipt, what is in it, and how often a credential was asked for. CLIENT: mppx, which puts a payload into a credential of its own;
// mppx-whole, which takes the credential as it is; x402, with its own way of asking again; spelling, which sends what mppx made in other ways.
import { spawn } from 'node:child_process'
import { Challenge, Credential, Method, PaymentRequest, Receipt, z } from 'mppx'
import { Mppx } from 'mppx/client'
import { wrapFetchWithPayment, x402Client, x402HTTPClient } from '@x402/fetch'

const [client, url, times = '1'] = process.argv.slice(2)
let asked = 0

// What telepay credential makes of a challenge.
function pay(challenge, ...words) {
    asked++
    return new Promise((resolve, reject) => {
        const payer = spawn('telepay', ['credential', ...words, ...process.env.PAYER_WORDS.split('|')], { stdio: ['pipe', 'pipe', 'inherit', 'pipe'] })
        let said = ''
        payer.stdout.on('data', piece => (said += piece))
        payer.on('close', code => (code === 0 ? resolve(said) : reject(new Error(`telepay credential exits ${code}`))))
        payer.stdio[3].on('error', () => {}) // it may not want a PIN
        payer.stdio[3].end('1234\n')
        payer.stdin.end(challenge)
    })
}

const emv = Method.from({
    name: 'emv',
    intent: 'charge',
    schema: {
        credential: { payload: z.object({ transaction: z.string(), device: z.optional(z.string()), claim: z.optional(z.string()) }) },
        request: z.looseObject({ amount: z.string(), currency: z.string(), recipient: z.string(), externalId: z.string() }),
    },
})

const payer = Method.toClient(emv, {
    async createCredential({ challenge }) {
        const { meta, ...members } = challenge
        const wire = JSON.stringify({ ...members, request: PaymentRequest.serialize(challenge.request) })
        if (client === 'mppx-whole') return (await pay(wire, '--header')).trim()
        const payload = JSON.parse(await pay(wire))
        return Credential.serialize(Credential.from({ challenge, payload }))
    },
})

async function tell(response) {
    const text = await response.text()
    const field = response.headers.get('payment-receipt')
    const receipt = field ? Receipt.deserialize(field) : undefined
    console.log(JSON.stringify({ status: response.status, receipt, text, asked }))
}

// What @x402/fetch reads of a 402 is in a field of its own; its hook gives the credential, as for each scheme that it does not know.
function translated(response) {
    if (response.status !== 402) return response
    const required = { x402Version: 2, resource: { url: response.url }, accepts: [] }
    const headers = new Headers(response.headers)
    headers.set('payment-required', Buffer.from(JSON.stringify(required)).toString('base64'))
    return new Response(response.body, { status: 402, headers })
}

function x402() {
    let challenge
    const http = new x402HTTPClient(new x402Client())
    http.onPaymentRequired(async () => ({ headers: { authorization: (await pay(challenge, '--header')).trim() } }))
    return wrapFetchWithPayment(async request => {
        const response = await fetch(request)
        challenge = response.headers.get('www-authenticate')
        return translated(response)
    }, http)
}

// A client whose answer is lost asks for the same again, as if it had not been there.
async function patient(ask) {
    for (let left = 3; ; left--) {
        try {
            return await ask(url)
        } catch (e) {
            if (left === 0) throw e
            console.error(`again: ${e.cause?.message ?? e.message}`)
        }
    }
}

if (client === 'spelling') {
    // the credential of mppx, sent once more in another order of members, and for another resource
    const response = await fetch(url)
    const challenge = Challenge.fromResponse(response)
    const field = await payer.createCredential({ challenge })
    const other = { payload: Credential.deserialize(field).payload, challenge: JSON.parse(Buffer.from(field.slice(8), 'base64url')).challenge }
    const spelt = 'Payment ' + Buffer.from(JSON.stringify(other, null, 1)).toString('base64url')
    await tell(await fetch(`${url}?other`, { headers: { authorization: field } }))
    for (const authorization of [field, spelt, field.replace('Payment', 'payment')]) await tell(await fetch(url, { headers: { authorization } }))
    const eight = await Promise.all(Array.from({ length: 8 }, () => fetch(url, { headers: { authorization: field } })))
    for (const one of eight) await tell(one)
} else {
    const ask = client === 'x402' ? x402() : Mppx.create({ methods: [payer], polyfill: false }).fetch
    for (let i = 0; i < Number(times); i++) await tell(await patient(ask))
}
