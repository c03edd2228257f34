import { generateKeyPairSync } from "node:crypto"
import { createServer } from "node:http"

const { default: Provider } = await quietly(() => import("oidc-provider"))

const PEOPLE = { carol: { name: "Carol Danvers", email: "carol@example.com", email_verified: true } }

/**
 * A real OpenID provider on this machine, with its own pages for signing in and for consent. Its address is known
 * before its client is: call `register` with the client's redirect URI.
 */
export async function start() {
  let answer = (_, response) => response.writeHead(503).end()
  const server = createServer((request, response) => answer(request, response))
  await new Promise((done) => server.listen(0, "127.0.0.1", done))
  const issuer = `http://127.0.0.1:${server.address().port}`
  const client = { client_id: "hallpass", client_secret: "a secret that only the two of them know" }
  const register = async (redirectUri) => {
    const registered = await quietly(() => provider(issuer, { ...client, redirect_uris: [redirectUri] }))
    answer = registered.callback()
  }
  return { issuer, client, register, close: () => { server.close(); server.closeAllConnections() } }
}

function provider(issuer, client) {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 })
  return new Provider(issuer, {
    clients: [client],
    jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), kid: "one", use: "sig", alg: "RS256" }] },
    cookies: { keys: ["signs the cookies of the provider"] },
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
    findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub, ...PEOPLE[sub] }) }),
    pkce: { required: () => true },
    ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
  })
}

/** It warns about its built-in pages, which are what is wanted here, and about versions of Node that it works with. */
async function quietly(run) {
  const { info, warn } = console
  console.info = console.warn = () => {}
  try { return await run() } finally { Object.assign(console, { info, warn }) }
}
