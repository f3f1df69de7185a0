/** The API described: `/openapi.json`, made of the schemas that parse requests, and a page to read it at `/docs`. */
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import { jsonSchemaTransform } from 'fastify-type-provider-zod';
import type { ControlApp } from './context.ts';

/** Before the routes that it is to describe. */
export function registerOpenApi(app: ControlApp): void {
  app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'isola control API',
        version: '4',
        description:
          'What stock wrangler speaks, and isola’s own routes under `…/isola/`. Answers wear an envelope: ' +
          '`success`, `errors`, `messages`, `result`. Error codes are permanent.',
      },
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
      security: [{ token: [] }],
    },
    transform: (document) => {
      const { config } = document.route;
      const { schema, url } = jsonSchemaTransform(document);
      return { schema: config?.scope === undefined ? schema : { ...schema, 'x-isola-scope': config.scope }, url };
    },
  });
  app.register(swaggerUi, { routePrefix: '/docs', staticCSP: true, theme: { title: 'isola control API' } });
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger());
}
