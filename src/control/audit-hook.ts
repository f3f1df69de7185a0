/** Writes down every change that is asked for: before it is tried, and how it was answered. */
import type { FastifyRequest } from 'fastify';
import type { AuditLog } from '../store/index.ts';
import type { ControlApp } from './context.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * What a change is called in the audit log, e.g. `token.create`. By default method and path of the route. `false`: the
     * route only asks, whatever its method.
     */
    audit?: string | false;
  }

  interface FastifyRequest {
    auditId: number | undefined;
    /** To what it was done, where the path does not say so: a handler that has made something names it. */
    auditTarget: string | undefined;
  }
}

/** A request that only asks, or that is refused before its handler, leaves no entry. */
export function registerAudit(api: ControlApp, { audit, now }: { audit: AuditLog; now: () => number }): void {
  api.decorateRequest('auditId', undefined);
  api.decorateRequest('auditTarget', undefined);
  // Awaited: without an entry there is no change.
  api.addHook('preHandler', async (request) => {
    if (request.method === 'GET' || request.is404 || request.routeOptions.config.audit === false) return;
    request.auditId = await audit.begin({ ...toEntry(request), at: now() });
  });
  // Before the answer goes out, so that whoever has it finds the entry complete.
  api.addHook('onSend', async (request, reply, payload) => {
    const { auditId, auditTarget } = request;
    if (auditId !== undefined) await audit.end(auditId, reply.statusCode, auditTarget);
    return payload;
  });
}

function toEntry({ method, routeOptions, params, identity, client }: FastifyRequest) {
  const { account = '*', ...rest } = params as Readonly<Record<string, string>>;
  return {
    account: account as typeof identity.account,
    actor: identity.actor,
    tokenId: identity.tokenId,
    action:
      routeOptions.config.audit ||
      `${method} ${routeOptions.url ?? ''}`.replace(/\/client\/v4(\/accounts\/:account)?/, ''),
    target: Object.values(rest).join('/'),
    ip: client.address,
  };
}
