// The npm oidc-provider on loopback, with keys of its own making. It ends when its standard input does.
// Its first line of input is what it is to be, its first line of output the issuer.
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const lines = createInterface({ input: process.stdin });
const asked = JSON.parse((await lines[Symbol.asyncIterator]().next()).value);
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));

const modules = path.join(process.argv[2], 'node_modules/oidc-provider/lib/index.js');
const { default: Provider } = await import(pathToFileURL(modules).href);

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const key = { ...privateKey.export({ format: 'jwk' }), kid: asked.kid, use: 'sig', alg: 'RS256' };

const server = createServer();
await new Promise((done) => server.listen(asked.port, '127.0.0.1', done));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: asked.clients,
  clientAuthMethods: asked.methods,
  jwks: { keys: [key] },
  cookies: { keys: ['cookies-of-the-tests'] },
  pkce: { required: () => true },
  scopes: ['openid', 'email', 'profile'],
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
  ttl: { IdToken: asked.token_seconds },
  findAccount: (_, id) => asked.people[id] && { accountId: id, claims: () => ({ sub: id, ...asked.people[id] }) },
});
server.on('request', provider.callback());
process.stdout.write(`${issuer}\n`);
