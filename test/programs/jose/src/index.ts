import * as jose from 'jose';

const ISSUER = 'urn:example:issuer';
const AUDIENCE = 'urn:example:audience';
const secret = new TextEncoder().encode('cc7e0d44fd473002f1c42167459001140ec6389b7353f8088f4d9a95f2f596f2');

type Key = jose.CryptoKey | Uint8Array;

interface Pem {
  readonly privateKey: string;
  readonly publicKey: string;
}

function sign(alg: string, key: Key): Promise<string> {
  return new jose.SignJWT({ 'urn:example:claim': true })
    .setProtectedHeader({ alg })
    .setIssuedAt()
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setExpirationTime('2h')
    .sign(key);
}

/** What a token says when it is verified, or the code of what is wrong with it. */
async function verify(token: string, key: Key): Promise<object> {
  try {
    const { payload, protectedHeader } = await jose.jwtVerify(token, key, { issuer: ISSUER, audience: AUDIENCE });
    return { alg: protectedHeader.alg, claim: payload['urn:example:claim'] };
  } catch (error) {
    if (error instanceof jose.errors.JOSEError) return { code: error.code };
    throw error;
  }
}

/** By the key in the body: a shared secret for HS…, otherwise a pair in PEM. */
async function signed(alg: string, request: Request): Promise<Response> {
  if (alg.startsWith('HS')) {
    const token = await sign(alg, secret);
    return Response.json({ token, verified: await verify(token, secret) });
  }
  const { privateKey, publicKey } = (await request.json()) as Pem;
  const token = await sign(alg, await jose.importPKCS8(privateKey, alg));
  return Response.json({ token, verified: await verify(token, await jose.importSPKI(publicKey, alg)) });
}

/** With a new pair, which goes through the formats that keys are exchanged in. */
async function generated(alg: string): Promise<Response> {
  const { privateKey, publicKey } = await jose.generateKeyPair(alg, { extractable: true });
  const jwk = await jose.exportJWK(publicKey);
  const token = await sign(alg, await jose.importPKCS8(await jose.exportPKCS8(privateKey), alg));
  const verified = await verify(token, await jose.importJWK(jwk, alg));
  return Response.json({ verified, jwk, thumbprint: await jose.calculateJwkThumbprint(jwk) });
}

/** Encrypts a token to a new key, or to a shared secret, and opens it again. */
async function encrypted(alg: string, enc: string): Promise<Response> {
  const [key, ownKey] = await encryptionKeys(alg, enc);
  const jwe = await new jose.EncryptJWT({ hidden: 'yes' })
    .setProtectedHeader({ alg, enc })
    .setIssuer(ISSUER)
    .encrypt(key);
  const { payload } = await jose.jwtDecrypt(jwe, ownKey, {
    issuer: ISSUER,
    keyManagementAlgorithms: [alg],
  });
  return Response.json({ parts: jwe.split('.').length, hidden: payload['hidden'] });
}

async function encryptionKeys(alg: string, enc: string): Promise<readonly [Key, Key]> {
  if (alg.startsWith('PBES2')) return [secret, secret];
  if (/^(dir|A\d+(GCM)?KW)$/.test(alg)) {
    const shared = await jose.generateSecret(alg === 'dir' ? enc : alg);
    return [shared, shared];
  }
  const { publicKey, privateKey } = await jose.generateKeyPair(alg);
  return [publicKey, privateKey];
}

/** Verifies a bearer token by the key set that its issuer publishes. */
async function authenticate(request: Request, jwksUrl: string): Promise<Response> {
  const token = request.headers.get('authorization')?.replace(/^Bearer /, '') ?? '';
  try {
    const jwks = jose.createRemoteJWKSet(new URL(jwksUrl));
    const { payload, protectedHeader } = await jose.jwtVerify(token, jwks, { issuer: ISSUER, audience: AUDIENCE });
    return Response.json({ sub: payload.sub, kid: protectedHeader.kid });
  } catch (error) {
    if (error instanceof jose.errors.JOSEError) return Response.json({ code: error.code }, { status: 401 });
    throw error;
  }
}

export default {
  async fetch(request: Request, env: { JWKS_URL: string }): Promise<Response> {
    const [, action = '', alg = '', enc = ''] = new URL(request.url).pathname.split('/');
    switch (action) {
      case 'sign':
        return signed(alg, request);
      case 'verify':
        return Response.json(await verify(await request.text(), secret));
      case 'generate':
        return generated(alg);
      case 'encrypt':
        return encrypted(alg, enc);
      case 'me':
        return authenticate(request, env.JWKS_URL);
      default:
        return new Response('not found', { status: 404 });
    }
  },
};
