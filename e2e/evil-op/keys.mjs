// Loaded into the provider before anything else. Node 20 can stop for ever while it exports a key as JWK: should the job
// that generated this key be collected meanwhile, both want its lock. Keys that are read from PEM belong to no job.
import crypto, { createPrivateKey, createPublicKey } from "node:crypto"
import { syncBuiltinESMExports } from "node:module"

const generateKeyPairSync = crypto.generateKeyPairSync

crypto.generateKeyPairSync = (type, options) => {
  const pem = { publicKeyEncoding: { type: "spki", format: "pem" }, privateKeyEncoding: { type: "pkcs8", format: "pem" } }
  const pair = generateKeyPairSync(type, { ...options, ...pem })
  return { privateKey: createPrivateKey(pair.privateKey), publicKey: createPublicKey(pair.publicKey) }
}
syncBuiltinESMExports()
