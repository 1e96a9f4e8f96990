// A JavaScript OrbitDB peer, driven by JSON lines: requests on standard input, answers and events on standard output.
// Loopback only: no bootstrap, no mDNS, no relay, no gateways, no DHT. Everything is in memory or in a temporary folder.
//
//   node peer.mjs DIR NAME
//
// Request: {"id":1,"cmd":"open","name":"docs","type":"documents"}
// Answer:  {"id":1,"ok":true,"result":{..}} or {"id":1,"ok":false,"error":".."}
// Events have no id: ready, error.

// Node 20 does not have it
Promise.withResolvers ??= function () { let resolve, reject; const promise = new Promise((a, b) => { resolve = a; reject = b }); return { promise, resolve, reject } }

import path from 'node:path'
import readline from 'node:readline'

const [dir, name] = process.argv.slice(2)
const out = (o) => process.stdout.write(JSON.stringify(o) + '\n')
// whoever started it is gone
process.stdout.on('error', () => process.exit(1))
console.log = console.warn = () => {}
console.error = (...a) => out({ event: 'error', message: a.map(x => x?.message ?? String(x)).join(' ') })

const { createHelia } = await import('helia')
const { bitswap } = await import('@helia/block-brokers')
const { createLibp2p } = await import('libp2p')
const { tcp } = await import('@libp2p/tcp')
const { identify } = await import('@libp2p/identify')
const { noise } = await import('@chainsafe/libp2p-noise')
const { yamux } = await import('@chainsafe/libp2p-yamux')
const { gossipsub } = await import('@libp2p/gossipsub')
const { MemoryBlockstore } = await import('blockstore-core')
const { MemoryDatastore } = await import('datastore-core')
const { multiaddr } = await import('@multiformats/multiaddr')
const { createOrbitDB, Entry, IPFSAccessController } = await import('@orbitdb/core')

const libp2p = await createLibp2p({
  addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
  transports: [tcp()],
  connectionEncrypters: [noise()],
  streamMuxers: [yamux()],
  connectionGater: { denyDialMultiaddr: () => false },
  services: { identify: identify(), pubsub: gossipsub({ allowPublishToZeroTopicPeers: true }) }
})
const ipfs = await createHelia({ libp2p, blockstore: new MemoryBlockstore(), datastore: new MemoryDatastore(), blockBrokers: [bitswap()], routers: [] })
const orbitdb = await createOrbitDB({ ipfs, id: name, directory: path.join(dir, 'orbitdb') })

const dbs = new Map()
const need = (r) => dbs.get(r.db) ?? (() => { throw new Error('not open: ' + r.db) })()
const heads = async (db) => (await db.log.heads()).map(e => e.hash)
const log = async (db) => { const hashes = []; for await (const e of db.log.traverse()) hashes.push(e.hash); return hashes }
const sleep = (ms) => new Promise(resolve => setTimeout(resolve, ms))

const commands = {
  // {name | address, type, write}
  open: async (r) => {
    const options = {}
    if (r.type) options.type = r.type
    if (r.write) options.AccessController = IPFSAccessController({ write: r.write })
    const db = await orbitdb.open(r.address ?? r.name, options)
    db.events.on('error', (e) => out({ event: 'error', db: db.address, message: e.message }))
    dbs.set(db.address, db)
    return { address: db.address, name: db.name, type: db.type, write: db.access.write }
  },
  close: async (r) => { const db = need(r); dbs.delete(db.address); await db.close(); return {} },
  dial: async (r) => ({ peer: (await libp2p.dial(multiaddr(r.addr))).remotePeer.toString() }),
  hangup: async () => { for (const c of libp2p.getConnections()) await c.close(); return {} },
  connections: async () => ({ peers: libp2p.getPeers().map(String) }),
  add: async (r) => ({ hash: await need(r).add(r.value) }),
  put: async (r) => { const db = need(r); return { hash: db.type === 'documents' ? await db.put(r.value) : await db.put(r.key, r.value) } },
  del: async (r) => ({ hash: await need(r).del(r.key) }),
  // every value, oldest first
  all: async (r) => ({ all: (await need(r).all()).map(({ hash, key, value }) => ({ hash, key, value })) }),
  heads: async (r) => ({ heads: await heads(need(r)) }),
  // until the log has so many entries, or exactly these heads
  wait: async (r) => {
    const db = need(r); const end = Date.now() + r.timeout_ms
    const wanted = JSON.stringify([...(r.heads ?? [])].sort())
    while (true) {
      const found = await heads(db)
      const count = (await log(db)).length
      if (r.heads ? JSON.stringify([...found].sort()) === wanted : count >= r.count) return { heads: found, count }
      if (Date.now() > end) throw new Error(`not within ${r.timeout_ms} ms: heads ${JSON.stringify(found)}, ${count} entries`)
      await sleep(50)
    }
  },
  // anything, in hex, on a topic
  publish: async (r) => {
    const { recipients } = await libp2p.services.pubsub.publish(r.topic, new Uint8Array(Buffer.from(r.bytes, 'hex')))
    return { recipients: recipients.length }
  },
  // an entry, in hex, as if a peer had sent it; that it does not join is told as an error
  receive: async (r) => {
    const db = need(r)
    const entry = await Entry.decode(new Uint8Array(Buffer.from(r.bytes, 'hex')))
    try { return { joined: await db.log.joinEntry(entry) } } catch (e) { console.error(e); return { joined: false } }
  }
}

process.on('uncaughtException', e => out({ event: 'error', message: 'uncaught: ' + e.message }))
process.on('unhandledRejection', e => out({ event: 'error', message: 'unhandled: ' + (e?.message ?? e) }))
out({ event: 'ready', peer: libp2p.peerId.toString(), addrs: libp2p.getMultiaddrs().map(String), identity: orbitdb.identity.id })

const perform = async (r) => {
  try {
    out({ id: r.id, ok: true, result: await commands[r.cmd](r) })
  } catch (e) { out({ id: r.id, ok: false, error: e.message }) }
}
let queue = Promise.resolve()
readline.createInterface({ input: process.stdin })
  .on('line', (line) => { const r = JSON.parse(line); queue = queue.then(() => perform(r)) })
  // whoever started it has ended, however that happened
  .on('close', () => process.exit(0))
