import { HttpError } from './errors.ts';

export interface Context<Env> {
  readonly request: Request;
  readonly url: URL;
  readonly params: Readonly<Record<string, string>>;
  readonly env: Env;
}

export type Handler<Env> = (context: Context<Env>) => Response | Promise<Response>;

export interface Router<Env> {
  /** Adds a route. `:name` in the path matches one segment. The first route that fits wins. */
  on(method: string, path: string, handler: Handler<Env>): Router<Env>;
  /** Throws HttpError: 404 for an unknown path, 405 for a known one with another method. */
  handle(request: Request, env: Env): Promise<Response>;
}

export function createRouter<Env>(): Router<Env> {
  const routes: { method: string; pattern: RegExp; handler: Handler<Env> }[] = [];
  return {
    on(method, path, handler) {
      routes.push({ method, pattern: toPattern(path), handler });
      return this;
    },
    async handle(request, env) {
      const url = new URL(request.url);
      const fitting = routes.filter(({ pattern }) => pattern.test(url.pathname));
      if (fitting.length === 0) throw new HttpError(404, `No such path: ${url.pathname}`);
      const route = fitting.find(({ method }) => method === request.method);
      if (route === undefined) {
        const allow = fitting.map(({ method }) => method).join(', ');
        throw new HttpError(405, `${request.method} is not possible here`, { allow });
      }
      const params = route.pattern.exec(url.pathname)?.groups ?? {};
      return await route.handler({ request, url, params, env });
    },
  };
}

function toPattern(path: string): RegExp {
  return new RegExp(`^${path.replace(/:(\w+)/g, '(?<$1>[^/]+)')}$`);
}
