/** With servers of the tests' own: a department's agent at work while its server crashes and comes back; TLS. */

import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { generate } from 'selfsigned'
import t from 'tap'
import { endpointOf, type SslSettings } from '../../src/agent/database/postgres/connection.js'
import { openPostgresDatabase } from '../../src/agent/database/postgres/open.js'
import { datasetSamples } from '../../src/agent/dataset/generate.js'
import { EnterpriseProxy } from '../../src/agent/enterpriseProxy.js'
import { portraitKeysIn } from '../../src/agent/portraitKeyFile.js'
import { Requester } from '../../src/agent/requester.js'
import { CONTRACT_ADDRESSES } from '../../src/contracts/addresses.js'
import { dataSharingAbi } from '../../src/contracts/dataSharing.abi.js'
import { fromHex } from '../../src/core/bytes.js'
import { ContractAbi } from '../../src/vm/abi.js'
import { testDatabase, withoutPostgres } from '../support/postgres.js'
import { PostgresCluster } from '../support/postgresCluster.js'
import { type Account, declarationOf, World } from './support/world.js'

const companies = Object.values(datasetSamples({ records: 500 }))
const abi = new ContractAbi(dataSharingAbi)
const ATTRIBUTES = ['companyName', 'registeredCapital', 'employees']
const NO_SERVER = 'no PostgreSQL server binaries on this machine'
const CRASHES = 3
const PATIENCE_MS = 120_000

t.test('TLS: who is believed', { skip: withoutPostgres }, async (t) => {
  const cluster = await PostgresCluster.start(t)
  if (!cluster) return void t.pass('a server', { skip: NO_SERVER })
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], {
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
  })
  const { settings, sql } = await testDatabase(t, cluster.url)
  for (const [name, text] of Object.entries({ 'server.crt': cert, 'server.key': key })) {
    const lines = `select unnest(string_to_array('${text.replaceAll('\r', '').trim()}', E'\\n'))`
    await sql(`copy (${lines}) to program 'umask 077; cat > ${name}'`)
  }
  const switchTo = async (ssl: 'on' | 'off') => {
    await sql(`alter system set ssl = ${ssl}`)
    await sql('select pg_reload_conf()')
    while ((await sql('show ssl'))[0]?.ssl !== ssl) await new Promise((done) => setTimeout(done, 20))
  }
  const caFile = path.join(t.testdir(), 'ca.pem')
  writeFileSync(caFile, cert)
  const { port, database, user } = endpointOf(settings, 'test')
  const open = async (host: string, ssl: SslSettings) => {
    const db = await openPostgresDatabase({ source: { host, port, database, user, ssl } })
    const seen = await sql(
      `select distinct ssl from pg_stat_ssl join pg_stat_activity using (pid) where application_name = 'concordat'`,
    )
    await db.close()
    return seen
  }
  await switchTo('on')
  const encrypted = [{ ssl: true }]
  t.same(await open('localhost', { mode: 'verify-full', caFile }), encrypted)
  t.same(await open('127.0.0.1', { mode: 'verify-ca', caFile }), encrypted, 'the name is not looked at')
  t.same(await open('127.0.0.1', { mode: 'require' }), encrypted, 'nobody is checked')
  t.same(await open('127.0.0.1', {}), [{ ssl: false }], 'on this machine')
  await t.rejects(open('127.0.0.1', { mode: 'verify-full', caFile }), { code: 'FAILED', message: /altnames/ })
  await t.rejects(open('localhost', { mode: 'verify-full' }), { code: 'FAILED', message: /self-signed/ })
  await t.rejects(open('localhost', { mode: 'verify-ca' }), { code: 'FAILED', message: /self-signed/ })
  await switchTo('off')
  const plain = open('localhost', { mode: 'verify-full', caFile })
  await t.rejects(plain, { code: 'FAILED', message: /does not support SSL/ })
})

t.test('crashes of the server under a running agent', { skip: withoutPostgres, timeout: 240_000 }, async (t) => {
  const cluster = await PostgresCluster.start(t)
  if (!cluster) return void t.pass('a server', { skip: NO_SERVER })
  const { settings, sql } = await testDatabase(t, cluster.url)
  const world = new World({ companies })
  const department = world.department('market-regulation')
  const database = await openPostgresDatabase({ source: settings })
  const service = await world.serve('market-regulation', database)

  const waits = () => world.logged.filter((line) => /trouble with the database/.test(line)).length
  let crashes = 0
  const storm = (async () => {
    while (crashes < CRASHES) {
      await cluster.crash()
      // The first time it stays away until the agent has given up for the moment.
      while (crashes === 0 && waits() === 0) await new Promise((done) => setTimeout(done, 20))
      await cluster.up()
      crashes++
    }
  })()
  const dir = t.testdir()
  let submissions = 0
  let asked = 0
  const work = async () => {
    do {
      for (const company of companies) {
        const enterprise = world.enterprises.get(company) as Account
        const proxy = new EnterpriseProxy(
          { portraitKeys: portraitKeysIn(path.join(dir, enterprise.id)), acknowledgeTimeoutMs: PATIENCE_MS },
          world.connect(enterprise),
        )
        submissions++
        const declaration = declarationOf(company, { employees: `${submissions}` })
        const values = new Map([...declaration.values].filter(([name]) => ATTRIBUTES.includes(name)))
        const { parts } = await proxy.submit({ ...declaration, values })
        t.same(
          parts.filter(({ address }) => address === department.address).map(({ status }) => status),
          ['accepted'],
        )
        const asker = new Requester(
          { encryptionKeys: [world.asker.encryption.privateKey], answerTimeoutMs: PATIENCE_MS },
          world.connect(world.asker),
        )
        const own = new Map([...values].filter(([name]) => name === 'registeredCapital'))
        const { attributes, requestId } = await asker.verify({ enterpriseId: declaration.enterpriseId, values: own })
        t.ok(
          attributes.every(({ confirmed }) => confirmed),
          `submission ${submissions} is confirmed`,
        )
        if (requestId !== null) asked += attributes.filter(({ fromPortrait }) => !fromPortrait).length
      }
    } while (crashes < CRASHES)
  }
  await Promise.all([storm, work()])

  while ((await database.outbox()).length > 0) await new Promise((done) => setTimeout(done, 20))
  await service.stop()
  t.same(await sql('select count(*)::int as n from concordat.record'), [{ n: companies.length }])
  const [row] = await sql(
    `select max(value::int) as last, count(*)::int as n from concordat.record_value where attribute = 'employees'`,
  )
  t.same(row, { last: submissions, n: companies.length })
  const events = world.chain.logs().filter(({ address }) => address === CONTRACT_ADDRESSES.dataSharing)
  const count = (name: 'DataAcknowledged' | 'Attested') =>
    events.filter(({ topics, data }) => abi.decodeEvent(name, { topics, data: fromHex(data) })).length
  t.equal(count('DataAcknowledged'), submissions)
  t.equal(count('Attested'), asked)
  t.ok(asked > 0, 'the department was asked')
  t.same(
    world.logged.filter((line) => /^error|refuses a message for good/.test(line)),
    [],
  )
  t.comment(`${crashes} crashes, ${submissions} submissions, ${waits()} times waited`)
  await database.close()
  world.close()
})
