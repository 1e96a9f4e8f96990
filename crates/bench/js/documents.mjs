// Writes, reads and reopens a documents database of @orbitdb/core on disk, and prints one line of JSON of what that took.
//
//   node documents.mjs DIR RECORDS
Promise.withResolvers ??= function () { let resolve, reject; const promise = new Promise((a, b) => { resolve = a; reject = b }); return { promise, resolve, reject } }

import path from 'node:path'

console.log = console.warn = () => {}
const { createHelia } = await import('helia')
const { createLibp2p } = await import('libp2p')
const { identify } = await import('@libp2p/identify')
const { gossipsub } = await import('@libp2p/gossipsub')
const { LevelBlockstore } = await import('blockstore-level')
const { LevelDatastore } = await import('datastore-level')
const { createOrbitDB, Documents } = await import('@orbitdb/core')

const [dir, records] = [process.argv[2], Number(process.argv[3])]

const open = async () => {
  const libp2p = await createLibp2p({ services: { identify: identify(), pubsub: gossipsub({ allowPublishToZeroTopicPeers: true }) } })
  const blockstore = new LevelBlockstore(path.join(dir, 'blocks'))
  const datastore = new LevelDatastore(path.join(dir, 'data'))
  await blockstore.open()
  await datastore.open()
  const ipfs = await createHelia({ libp2p, blockstore, datastore, blockBrokers: [], routers: [] })
  const orbitdb = await createOrbitDB({ ipfs, id: 'bench', directory: path.join(dir, 'orbitdb') })
  return { ipfs, orbitdb, blockstore, datastore }
}
const close = async ({ ipfs, orbitdb, blockstore, datastore }) => {
  await orbitdb.stop()
  await ipfs.stop()
  await blockstore.close()
  await datastore.close()
}
const record = (n) => ({ _id: `key-${n}`, to: `user-${n % 97}`, n, text: `${n} ` + 'lorem ipsum '.repeat(12) })
const since = (begin) => performance.now() - begin

let peer = await open()
let db = await peer.orbitdb.open('bench', { type: 'documents', Database: Documents() })
const address = db.address
let begin = performance.now()
for (let n = 0; n < records; n++) await db.put(record(n))
const puts = records / since(begin) * 1000

const times = []
for (let n = 0; n < 20; n++) {
  begin = performance.now()
  const found = await db.get(`key-${Math.floor(records * n / 20)}`)
  times.push(since(begin))
  if (!found) throw new Error('a record is missing')
}
const get = times.reduce((a, b) => a + b) / times.length
begin = performance.now()
const found = await db.query(doc => doc.to === 'user-5')
const query = since(begin)
const memory = process.memoryUsage().rss / 1048576
await close(peer)

begin = performance.now()
peer = await open()
db = await peer.orbitdb.open(address)
if (!await db.get('key-0')) throw new Error('a record is missing')
const reopen = since(begin)
await close(peer)
process.stdout.write(JSON.stringify({ puts, get, query, found: found.length, reopen, memory }) + '\n')
process.exit(0)
