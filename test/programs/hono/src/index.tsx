/** @jsxImportSource hono/jsx */
import { zValidator } from '@hono/zod-validator';
import { Hono } from 'hono';
import { contextStorage, getContext } from 'hono/context-storage';
import { cors } from 'hono/cors';
import { getSignedCookie, setSignedCookie } from 'hono/cookie';
import { etag } from 'hono/etag';
import { HTTPException } from 'hono/http-exception';
import { jsxRenderer } from 'hono/jsx-renderer';
import { jwt, sign } from 'hono/jwt';
import { stream, streamSSE, streamText } from 'hono/streaming';
import { validator } from 'hono/validator';
import { z } from 'zod';
import { GuestBook } from './guest-book.tsx';
import { Slow } from './slow.tsx';

interface Env {
  Bindings: { readonly TITLE: string };
  Variables: { visitor: string };
}

declare module 'hono' {
  interface ContextRenderer {
    (content: string | Promise<string>, props: { readonly title: string }): Response;
  }
}

const SECRET = 'a secret that only this test knows';

const app = new Hono<Env>();

app.use(contextStorage());
app.use(async (c, next) => {
  c.set('visitor', c.req.query('visitor') ?? 'nobody');
  await next();
  c.header('x-visitor', c.var.visitor);
});
app.use('/api/*', cors({ origin: 'https://example.com' }));
app.use('/tagged', etag());
app.use('/private/*', jwt({ secret: SECRET, alg: 'HS256' }));
app.use(
  '/pages/*',
  jsxRenderer(({ children, title }) => (
    <html>
      <head>
        <title>{title}</title>
      </head>
      <body>{children}</body>
    </html>
  )),
);

const visitor = async (): Promise<string> => {
  await new Promise((resolve) => setTimeout(resolve, 5));
  return getContext<Env>().var.visitor;
};

app.get('/', (c) => c.text(`Welcome to the ${c.env.TITLE}`));
app.get('/posts/:id{[0-9]+}', (c) => c.json({ id: Number(c.req.param('id')) }));
app.get('/tagged', (c) => c.text('the same each time'));
app.get('/context', async (c) => c.text(await visitor()));

const form = validator('form', (value, c) => {
  const { name } = value;
  if (typeof name !== 'string' || name === '') return c.text('Who are you?', 400);
  return { name };
});
app.post('/sign', form, (c) => c.json({ signed: c.req.valid('form').name }, 201));

const entry = z.object({
  name: z.string().min(1),
  rating: z.number().int().min(1).max(5),
  tags: z.array(z.string()).default([]),
});
app.post('/api/entries', zValidator('json', entry), (c) => c.json(c.req.valid('json'), 201));
const page = z.object({ page: z.coerce.number().positive() });
app.get('/api/entries', zValidator('query', page), (c) => c.json({ page: c.req.valid('query').page }));

app.get('/book', (c) => c.html(<GuestBook title={c.env.TITLE} names={c.req.queries('name') ?? []} />));
app.get('/pages/about', (c) => c.render(<p>About us</p>, { title: 'About' }));
app.post('/slow', (c) => {
  c.header('content-type', 'text/html; charset=utf-8');
  return c.body(Slow({ report: c.req.text() }));
});

app.get('/login', async (c) => {
  await setSignedCookie(c, 'user', 'ada', SECRET);
  return c.text(await sign({ sub: 'ada', exp: Math.floor(Date.now() / 1000) + 60 }, SECRET, 'HS256'));
});
app.get('/whoami', async (c) => c.json({ user: await getSignedCookie(c, SECRET, 'user') }));
app.get('/private/me', (c) => c.json(c.get('jwtPayload')));

app.get('/count', (c) =>
  streamText(c, async (out) => {
    for (let n = 1; n <= 3; n++) {
      await out.writeln(String(n));
      await out.sleep(5);
    }
  }),
);
app.get('/events', (c) =>
  streamSSE(c, async (out) => {
    for (let id = 0; id < 2; id++) await out.writeSSE({ data: `tick ${id}`, event: 'tick', id: String(id) });
  }),
);
app.post('/echo', (c) =>
  stream(c, async (out) => {
    if (c.req.raw.body !== null) await out.pipe(c.req.raw.body);
  }),
);

app.get('/broken', () => {
  throw new Error('broken on purpose');
});
app.get('/teapot', () => {
  throw new HTTPException(418, { message: 'short and stout' });
});
app.notFound((c) => c.json({ error: 'not found', path: c.req.path }, 404));
app.onError((error, c) => {
  if (error instanceof HTTPException) return error.getResponse();
  return c.json({ error: error.message }, 500);
});

export default app;
