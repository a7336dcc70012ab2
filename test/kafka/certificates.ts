import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const EXTENSIONS = 'subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n'
const DAYS = '30'

/**
 * A certificate authority made on the spot and a server certificate for localhost and 127.0.0.1.
 *
 * @returns paths of PEM files: `ca` for clients to trust, `server` with the key and the chain, as Kafka reads it.
 */
export function makeCertificates(folder: string): { ca: string; server: string } {
  const at = (name: string) => join(folder, name)
  const openssl = (...args: string[]) =>
    execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] })
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']

  openssl(
    ...['req', '-x509', ...newKey, '-days', DAYS, '-subj', '/CN=meterbridge test authority'],
    ...['-keyout', at('ca.key'), '-out', at('ca.pem')],
  )
  openssl(
    ...['req', ...newKey, '-subj', '/CN=localhost'],
    ...['-keyout', at('server.key'), '-out', at('server.csr')],
  )
  writeFileSync(at('server.ext'), EXTENSIONS)
  openssl(
    ...['x509', '-req', '-in', at('server.csr'), '-days', DAYS, '-extfile', at('server.ext')],
    ...['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', '-out', at('server.crt')],
  )
  const chain = ['server.key', 'server.crt', 'ca.pem'].map((name) => readFileSync(at(name), 'utf8'))
  writeFileSync(at('server.pem'), chain.join(''))
  return { ca: at('ca.pem'), server: at('server.pem') }
}
