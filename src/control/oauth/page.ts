/** The sign-in pages: self-contained, without a script, and nowhere in a frame. */
import { createHash } from 'node:crypto';
import type { FastifyReply } from 'fastify';
import type { AuthorizeRequest } from './request.ts';

const STYLE = `body{font:1rem/1.5 system-ui,sans-serif;max-width:30rem;margin:4rem auto;padding:0 1rem;color-scheme:light dark}
h1{font-size:1.5rem}label,input{display:block;width:100%;box-sizing:border-box}input,button{font:inherit;padding:.5rem;margin:.5rem 0}
button{padding:.5rem 1.5rem;margin-right:.5rem}[role=alert]{border-left:.25rem solid #c00;padding-left:.75rem}`;
const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

export type Fields = Readonly<Record<string, string>>;

/** Asks for a token. */
export function toSignInPage(fields: Fields, problem?: string): string {
  return toPage(
    'Sign in to isola',
    `${problem === undefined ? '' : `<p role="alert" id="problem">${escapeHtml(problem)}</p>`}
<p>wrangler on this machine asks for access. Sign in with an access token; an operator makes one with <code>isola token create</code>.</p>
<form method="post" action="/oauth/authorize">${toHidden(fields)}
<label for="token">Access token</label>
<input id="token" name="token" type="password" required autofocus autocomplete="off" spellcheck="false"${problem === undefined ? '' : ' aria-invalid="true" aria-describedby="problem"'}>
<button>Continue</button></form>`,
  );
}

/** Shows what the client will get, and asks. */
export function toConsentPage(
  fields: Fields,
  {
    token,
    account,
    scopes,
    redirectUri,
  }: { token: string; account: string; scopes: readonly string[]; redirectUri: string },
): string {
  const owner = account === '*' ? 'all accounts' : `the account <strong>${escapeHtml(account)}</strong>`;
  return toPage(
    'Allow wrangler?',
    `<p>Signed in with the token <strong>${escapeHtml(token)}</strong>. wrangler, at ${escapeHtml(new URL(redirectUri).host)}, will be able to use ${owner}:</p>
<ul>${scopes.map((scope) => `<li><code>${escapeHtml(scope)}</code></li>`).join('')}</ul>
<p>It ends when that token is revoked or expires, or with <code>wrangler logout</code>.</p>
<form method="post" action="/oauth/authorize">${toHidden(fields)}
<button name="decision" value="allow">Allow</button><button name="decision" value="deny">Deny</button></form>`,
  );
}

export function toProblemPage(problem: string): string {
  return toPage('Cannot sign in', `<p role="alert">${escapeHtml(problem)}</p>`);
}

export function sendPage(reply: FastifyReply, status: number, html: string, request?: AuthorizeRequest): FastifyReply {
  // The answer to the last form leads to the client, which browsers count as an action of the form.
  const target = request === undefined ? '' : ` ${new URL(request.redirect_uri).origin}`;
  return reply
    .code(status)
    .type('text/html; charset=utf-8')
    .header(
      'content-security-policy',
      `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; form-action 'self'${target}; frame-ancestors 'none'; base-uri 'none'`,
    )
    .header('x-frame-options', 'DENY')
    .header('x-content-type-options', 'nosniff')
    .header('referrer-policy', 'same-origin') // with no-referrer, forms would come without their origin
    .header('cache-control', 'no-store')
    .send(html);
}

function toPage(title: string, body: string): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${title}</title><style>${STYLE}</style></head><body><main><h1>${title}</h1>${body}</main></body></html>`;
}

function toHidden(fields: Fields): string {
  return Object.entries(fields)
    .map(([name, value]) => `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`)
    .join('');
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
